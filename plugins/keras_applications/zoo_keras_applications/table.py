"""The facts about every Keras application, as data. A test compares them with the installed Keras.

Sources: names, files and checksums from `keras.applications`; file sizes from public logs of downloads; published top-1
accuracies from keras.io/api/applications, except MobileNetV3's, which is from its Keras docstring; licences of the
weights from the Keras documentation (VGG: University of Oxford; ResNet: Kaiming He; DenseNet: its authors; ConvNeXt:
Meta; Xception: Keras; the others: TensorFlow, Apache-2.0).
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import zoo

ADDRESS = "https://storage.googleapis.com/"

RAW = zoo.Pixels()  # the network itself scales its input
CAFFE = zoo.Pixels(mean=(103.939, 116.779, 123.68), order="BGR")
TORCH = zoo.Pixels(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))
SIGNED = zoo.Pixels(mean=(127.5, 127.5, 127.5), std=(127.5, 127.5, 127.5))


@dataclass(frozen=True)
class Family:
    """What the architectures of one paper have in common.

    A new stage starts "before" the first or "after" the last layer of each group whose name `stages` captures.
    """

    paper: str
    weights_licence: str
    pixels: zoo.Pixels
    cut: Literal["before", "after"]
    stages: str


@dataclass(frozen=True)
class Architecture:
    """One function of `keras.applications`, without its classification layer."""

    name: str
    function: str
    family: str
    params: int
    input: int
    dim: int
    top1: float
    bytes: int
    file: str
    checksum: str | None


FAMILIES = {
    "vgg": Family("1409.1556", "CC-BY-4.0", CAFFE, "before", r"(block\d)_conv"),
    "resnet": Family("1512.03385", "MIT", CAFFE, "before", r"(conv[2-5])_block"),
    "resnet_v2": Family("1603.05027", "Apache-2.0", SIGNED, "before", r"(conv[2-5])_block"),
    "inception_v3": Family("1512.00567", "Apache-2.0", SIGNED, "after", r"(mixed\d+)$"),
    "inception_resnet_v2": Family(
        "1602.07261", "Apache-2.0", SIGNED, "after", r"(mixed_5b$|block35_10_ac|block17_20_ac)"
    ),
    "xception": Family("1610.02357", "MIT", SIGNED, "before", r"(block\d+)_sepconv1"),
    "densenet": Family("1608.06993", "BSD-3-Clause", TORCH, "before", r"(conv[2-5])_block"),
    "nasnet": Family("1707.07012", "Apache-2.0", SIGNED, "after", r"(?:stem_|reduction_)concat_(.*)"),
    "mobilenet": Family("1704.04861", "Apache-2.0", SIGNED, "before", r"(conv_pad_\d+)"),
    "mobilenet_v2": Family("1801.04381", "Apache-2.0", SIGNED, "before", r"(block_(?:1|3|6|13))_expand$"),
    "mobilenet_v3": Family("1905.02244", "Apache-2.0", RAW, "before", r"(expanded_conv_\d+)_depthwise_pad"),
    "efficientnet": Family("1905.11946", "Apache-2.0", RAW, "before", r"(block\d)[a-z]_"),
    "efficientnet_v2": Family("2104.00298", "Apache-2.0", RAW, "before", r"(block\d)[a-z]_"),
    "convnext": Family("2201.03545", "MIT", RAW, "before", r".*_(stage_0|downsampling_block_\d)"),
}

# fmt: off
ARCHITECTURES = (
    Architecture("vgg16", "VGG16", "vgg", 14_714_688, 224, 512, 71.3, 58_889_256,
                 "tensorflow/keras-applications/vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
                 "md5:6d6bbae143d832006294945121d1f1fc"),
    Architecture("vgg19", "VGG19", "vgg", 20_024_384, 224, 512, 71.3, 80_134_624,
                 "tensorflow/keras-applications/vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
                 "md5:253f8cb515780f3b799900260a226db6"),
    Architecture("resnet50", "ResNet50", "resnet", 23_587_712, 224, 2048, 74.9, 94_765_736,
                 "tensorflow/keras-applications/resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5",
                 "md5:4d473c1dd8becc155b73f8504c6f6626"),
    Architecture("resnet101", "ResNet101", "resnet", 42_658_176, 224, 2048, 76.4, 171_446_536,
                 "tensorflow/keras-applications/resnet/resnet101_weights_tf_dim_ordering_tf_kernels_notop.h5",
                 "md5:88cf7a10940856eca736dc7b7e228a21"),
    Architecture("resnet152", "ResNet152", "resnet", 58_370_944, 224, 2048, 76.6, 234_698_864,
                 "tensorflow/keras-applications/resnet/resnet152_weights_tf_dim_ordering_tf_kernels_notop.h5",
                 "md5:ee4c566cf9a93f14d82f913c2dc6dd0c"),
    Architecture("resnet50_v2", "ResNet50V2", "resnet_v2", 23_564_800, 224, 2048, 76.0, 94_668_760,
                 "tensorflow/keras-applications/resnet/resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
                 "md5:fac2f116257151a9d068a22e544a4917"),
    Architecture("resnet101_v2", "ResNet101V2", "resnet_v2", 42_626_560, 224, 2048, 77.2, 171_317_808,
                 "tensorflow/keras-applications/resnet/resnet101v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
                 "md5:c0ed64b8031c3730f411d2eb4eea35b5"),
    Architecture("resnet152_v2", "ResNet152V2", "resnet_v2", 58_331_648, 224, 2048, 78.0, 234_545_216,
                 "tensorflow/keras-applications/resnet/resnet152v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
                 "md5:ed17cf2e0169df9d443503ef94b23b33"),
    Architecture("inception_v3", "InceptionV3", "inception_v3", 21_802_784, 299, 2048, 77.9, 87_910_968,
                 "tensorflow/keras-applications/inception_v3/inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
                 "md5:bcbd6486424b2319ff4ef7d526e38f63"),
    Architecture("inception_resnet_v2", "InceptionResNetV2", "inception_resnet_v2", 54_336_736, 299, 1536, 80.3,
                 219_055_592,
                 "tensorflow/keras-applications/inception_resnet_v2/inception_resnet_v2_weights_tf_dim_ordering_tf_kernels_notop.h5",
                 "md5:d19885ff4a710c122648d3b5c3b684e4"),
    Architecture("xception", "Xception", "xception", 20_861_480, 299, 2048, 79.0, 83_683_744,
                 "tensorflow/keras-applications/xception/xception_weights_tf_dim_ordering_tf_kernels_notop.h5",
                 "md5:b0042744bf5b25fce3cb969f33bebb97"),
    Architecture("densenet121", "DenseNet121", "densenet", 7_037_504, 224, 1024, 75.0, 29_084_464,
                 "tensorflow/keras-applications/densenet/densenet121_weights_tf_dim_ordering_tf_kernels_notop.h5",
                 "md5:30ee3e1110167f948a6b9946edeeb738"),
    Architecture("densenet169", "DenseNet169", "densenet", 12_642_880, 224, 1664, 76.2, 51_877_672,
                 "tensorflow/keras-applications/densenet/densenet169_weights_tf_dim_ordering_tf_kernels_notop.h5",
                 "md5:b8c4d4c20dd625c148057b9ff1c1176b"),
    Architecture("densenet201", "DenseNet201", "densenet", 18_321_984, 224, 1920, 77.3, 74_836_368,
                 "tensorflow/keras-applications/densenet/densenet201_weights_tf_dim_ordering_tf_kernels_notop.h5",
                 "md5:c13680b51ded0fb44dff2d8f86ac8bb1"),
    Architecture("nasnet_mobile", "NASNetMobile", "nasnet", 4_269_716, 224, 1056, 74.4, 19_993_432,
                 "tensorflow/keras-applications/nasnet/NASNet-mobile-no-top.h5",
                 "md5:1ed92395b5b598bdda52abe5c0dbfd63"),
    Architecture("nasnet_large", "NASNetLarge", "nasnet", 84_916_818, 331, 4032, 82.5, 343_610_240,
                 "tensorflow/keras-applications/nasnet/NASNet-large-no-top.h5",
                 "md5:d81d89dc07e6e56530c4e77faddd61b5"),
    Architecture("mobilenet", "MobileNet", "mobilenet", 3_228_864, 224, 1024, 70.4, 17_225_924,
                 "tensorflow/keras-applications/mobilenet/mobilenet_1_0_224_tf_no_top.h5",
                 None),
    Architecture("mobilenet_v2", "MobileNetV2", "mobilenet_v2", 2_257_984, 224, 1280, 71.3, 9_406_464,
                 "tensorflow/keras-applications/mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
                 None),
    Architecture("mobilenet_v3_small", "MobileNetV3Small", "mobilenet_v3", 939_120, 224, 576, 68.1, 4_334_752,
                 "tensorflow/keras-applications/mobilenet_v3/weights_mobilenet_v3_small_224_1.0_float_no_top_v2.h5",
                 "md5:d3e8ec802a04aa4fc771ee12a9a9b836"),
    Architecture("mobilenet_v3_large", "MobileNetV3Large", "mobilenet_v3", 2_996_352, 224, 960, 75.6, 12_683_000,
                 "tensorflow/keras-applications/mobilenet_v3/weights_mobilenet_v3_large_224_1.0_float_no_top_v2.h5",
                 "md5:07fb09a5933dd0c8eaafa16978110389"),
    Architecture("efficientnet_b0", "EfficientNetB0", "efficientnet", 4_049_571, 224, 1280, 77.1, 16_705_208,
                 "keras-applications/efficientnetb0_notop.h5",
                 "md5:50bc09e76180e00e4465e1a485ddc09d"),
    Architecture("efficientnet_b1", "EfficientNetB1", "efficientnet", 6_575_239, 240, 1280, 79.1, 27_018_416,
                 "keras-applications/efficientnetb1_notop.h5",
                 "md5:74c4e6b3e1f6a1eea24c589628592432"),
    Architecture("efficientnet_b2", "EfficientNetB2", "efficientnet", 7_768_569, 260, 1408, 80.1, 31_790_344,
                 "keras-applications/efficientnetb2_notop.h5",
                 "md5:111f8e2ac8aa800a7a99e3239f7bfb39"),
    Architecture("efficientnet_b3", "EfficientNetB3", "efficientnet", 10_783_535, 300, 1536, 81.6, 43_941_136,
                 "keras-applications/efficientnetb3_notop.h5",
                 "md5:af6d107764bb5b1abb91932881670226"),
    Architecture("efficientnet_b4", "EfficientNetB4", "efficientnet", 17_673_823, 380, 1792, 82.9, 71_686_520,
                 "keras-applications/efficientnetb4_notop.h5",
                 "md5:ebc24e6d6c33eaebbd558eafbeedf1ba"),
    Architecture("efficientnet_b5", "EfficientNetB5", "efficientnet", 28_513_527, 456, 2048, 83.6, 115_263_384,
                 "keras-applications/efficientnetb5_notop.h5",
                 "md5:38879255a25d3c92d5e44e04ae6cec6f"),
    Architecture("efficientnet_b6", "EfficientNetB6", "efficientnet", 40_960_143, 528, 2304, 84.0, 165_234_480,
                 "keras-applications/efficientnetb6_notop.h5",
                 "md5:9ecce42647a20130c1f39a5d4cb75743"),
    Architecture("efficientnet_b7", "EfficientNetB7", "efficientnet", 64_097_687, 600, 2560, 84.3, 258_076_736,
                 "keras-applications/efficientnetb7_notop.h5",
                 "md5:cbcfe4450ddf6f3ad90b1b398090fe4a"),
    Architecture("efficientnet_v2_b0", "EfficientNetV2B0", "efficientnet_v2", 5_919_312, 224, 1280, 78.7, 24_274_472,
                 "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-b0_notop.h5",
                 "md5:893217f2bb855e2983157299931e43ff"),
    Architecture("efficientnet_v2_b1", "EfficientNetV2B1", "efficientnet_v2", 6_931_124, 240, 1280, 79.8, 28_456_008,
                 "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-b1_notop.h5",
                 "md5:0e80663031ca32d657f9caa404b6ec37"),
    Architecture("efficientnet_v2_b2", "EfficientNetV2B2", "efficientnet_v2", 8_769_374, 260, 1408, 80.5, 35_839_040,
                 "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-b2_notop.h5",
                 "md5:1dfe2e7a5d45b6632553a8961ea609eb"),
    Architecture("efficientnet_v2_b3", "EfficientNetV2B3", "efficientnet_v2", 12_930_622, 300, 1536, 82.0, 52_606_240,
                 "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-b3_notop.h5",
                 "md5:f6abf7b5849ac99a89b50dd3fd532856"),
    Architecture("efficientnet_v2_s", "EfficientNetV2S", "efficientnet_v2", 20_331_360, 384, 1280, 83.9, 82_420_632,
                 "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-s_notop.h5",
                 "md5:af0682fb74e8c54910f2d4393339c070"),
    Architecture("efficientnet_v2_m", "EfficientNetV2M", "efficientnet_v2", 53_150_388, 480, 1280, 85.3, 214_201_816,
                 "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-m_notop.h5",
                 "md5:1b8dc055df72dde80d614482840fe342"),
    Architecture("efficientnet_v2_l", "EfficientNetV2L", "efficientnet_v2", 117_746_848, 480, 1280, 85.7, 473_176_280,
                 "tensorflow/keras-applications/efficientnet_v2/efficientnetv2-l_notop.h5",
                 "md5:b0b66b5c863aef5b46e8608fe1711615"),
    Architecture("convnext_tiny", "ConvNeXtTiny", "convnext", 27_820_128, 224, 768, 81.3, 111_650_432,
                 "tensorflow/keras-applications/convnext/convnext_tiny_notop.h5",
                 "sha256:d547c096cabd03329d7be5562c5e14798aa39ed24b474157cef5e85ab9e49ef1"),
    Architecture("convnext_small", "ConvNeXtSmall", "convnext", 49_454_688, 224, 768, 82.3, 198_551_472,
                 "tensorflow/keras-applications/convnext/convnext_small_notop.h5",
                 "sha256:6fc8009faa2f00c1c1dfce59feea9b0745eb260a7dd11bee65c8e20843da6eab"),
    Architecture("convnext_base", "ConvNeXtBase", "convnext", 87_566_464, 224, 1024, 85.3, 350_926_856,
                 "tensorflow/keras-applications/convnext/convnext_base_notop.h5",
                 "sha256:40a20c5548a5e9202f69735ecc06c990e6b7c9d2de39f0361e27baeb24cb7c45"),
    Architecture("convnext_large", "ConvNeXtLarge", "convnext", 196_230_336, 224, 1536, 86.3, 785_596_384,
                 "tensorflow/keras-applications/convnext/convnext_large_notop.h5",
                 "sha256:96f02b6f0753d4f543261bc9d09bed650f24dd6bc02ddde3066135b63d23a1cd"),
    Architecture("convnext_xlarge", "ConvNeXtXLarge", "convnext", 348_147_968, 224, 2048, 86.7, 1_393_257_616,
                 "tensorflow/keras-applications/convnext/convnext_xlarge_notop.h5",
                 "sha256:de3f8a54174130e0cecdc71583354753d557fcf1f4487331558e2a16ba0cfe05"),
)
# fmt: on


@cache
def architectures() -> dict[str, Architecture]:
    """All architectures by name."""
    return {a.name: a for a in ARCHITECTURES}


def backbones() -> list[zoo.Backbone]:
    """The specs for the catalog."""
    return [_backbone(a, FAMILIES[a.family]) for a in ARCHITECTURES]


def _backbone(a: Architecture, family: Family) -> zoo.Backbone:
    weights = zoo.Weights(
        name="imagenet",
        source=ADDRESS + a.file,
        bytes=a.bytes,
        licence=family.weights_licence,
        trained_on="ImageNet-1k",
        checksum=a.checksum,
        top1=a.top1,
        pixels=family.pixels,
    )
    return zoo.Backbone(
        name=a.name,
        modality="image",
        family=a.family,
        params=a.params,
        input=a.input,
        dim=a.dim,
        features=("pooled", "map"),
        licence="Apache-2.0",
        paper=f"https://arxiv.org/abs/{family.paper}",
        build="zoo_keras_applications.build:build",
        weights=(weights,),
    )
