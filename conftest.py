"""What the tests of the host and of the plugins share: real processes, real environments, real runs."""

import os
import subprocess
import sys
import sysconfig
import textwrap
import venv
import zipfile
from pathlib import Path

import pytest
from filelock import FileLock

from zoo.engine import use_onednn

use_onednn()  # test modules import TensorFlow before zoo does, and are to compute as the processes of zoo do

ROOT = Path(__file__).parent
CLIPART = ROOT / "examples" / "data" / "clipart"
UNSEEN = ROOT / "examples" / "data" / "unseen"
# The files that take longest come first, so that no worker is left alone with one of them at the end.
LONGEST = (
    "training/test_resume",
    "tests/test_text_runs",
    "registry/test_install",
    "training/",
    "testing/",
    "kerashub/",
)

# Those that `make test-more` leaves to `make test-all`, too: the same once more, of other networks or at more moments.
LONG = (
    *(f"promises[backbone {name}:" for name in ("vgg16", "xception", "nasnet_mobile", "densenet121", "mobilenet")),
    *(f"promises[backbone {name}:" for name in ("efficientnet_v2_b0", "mobilenet_v2", "efficientnet_b0")),
    *(f"promises[backbone {name}:" for name in ("mobilenet_v3_small", "inception_resnet_v2", "inception_v3")),
    "promises[backbone convnext_tiny:",
    *(
        f"test_every_way_to_ask_a_model_gives_the_same_answer[resnet50_v2-{head}"
        for head in ("embedding", "multilabel", "regression")
    ),
    *(
        f"test_every_way_to_ask_a_model_gives_the_same_answer[bert-{head}"
        for head in ("embedding", "multilabel", "regression")
    ),
    "test_presets_of_pictures_keep_every_promise",
    "test_other_families_are_packed_as_keras_hub_packs_them",
    "test_killed_at_fifty_random_moments",
    "test_a_hundred_thousand_backbones_of_one_plugin",
)

# Those that `make test` leaves to `make test-all`, by a part of their name: repetitions of what others say already (one
# more network, head or moment of a kill), and whole lives of things.
SLOW = (
    # Promises of one more backbone or head
    *(f"promises[backbone {name}:" for name in ("resnet50", "minilm_l6")),
    "promises[backbone use_multilingual:",
    *(f"promises[head {name}:" for name in ("multilabel", "pair_classification", "pair_regression", "regression")),
    *(f"promises[head {name}:" for name in ("token_classification", "embedding")),
    "test_every_broken_promise_is_found_and_nothing_else",
    "test_a_strangers_plugin_passes_the_check",
    "promises[head classification: every command takes it",
    # One more network in what another says
    *(
        f"test_every_way_to_ask_a_model_gives_the_same_answer[{one}"
        for one in ("minilm_l6", "efficientnet_lite0-embedding", "efficientnet_lite0-regression")
    ),
    "test_every_way_to_ask_a_model_gives_the_same_answer[bert-pair_regression",
    *(f"test_it_computes_what_the_reference_implementation_does[efficientnet_lite{number}" for number in (1, 2)),
    "test_a_run_is_trained_tagged_and_asked_in_another_process",
    "test_random_weights_train_save_load_and_predict",
    *(f"test_partition.py::test_{rest}" for rest in ("front_and_tail_make_the_model", "further_back_there_is")),
    "test_a_file_for_another_network_is_a_sentence[mobilenet_v3_small]",
    "test_the_real_minilm_says_what_it_is_known_to_say",
    # One more kind of bad input, each a process
    *(
        f"test_what_cannot_be_used_is_one_sentence_and_leaves_nothing[{kind}"
        for kind in (
            *("pairs with", "Parquet with", "more stages", "an unseen", "a class of one]", "a field of", "CoNLL"),
            *("a folder below", "broken JSON", "weights of", "10,000", "one class", "a damaged", "JSON without"),
        )
    ),
    # In a process, or as a whole training, what others say of a part of it
    "test_a_run_is_no_better_than_itself_and_takes_some_time",
    "test_what_is_filled_in_is_trained_on_in_the_same_split",
    "test_one_class_and_single_pictures_are_sentences",
    "test_what_cannot_be_read_is_left_out_and_said",
    *(f"test_the_example_in_the_docstring_runs[{name}]" for name in ("train", "load_run")),
    "test_a_training_of_version_0_1_0_is_resumed",
    "test_a_run_of_version_0_1_0_can_be_repeated",
    # Kills at many moments, and trainings that are broken off in other ways
    "test_killed_at_random_moments_and_resumed",
    "test_two_trainings_at_once_without_a_name_over_one_empty_feature_cache",
    "test_where_memory_is_short_the_batch_is_halved_and_said",
    "test_the_linear_model_that_no_epoch_beats_survives_a_kill",
    "test_a_machine_that_is_switched_off_while_an_epoch_is_judged",
    "test_of_two_trainings_into_one_folder_one_is_refused",
    "test_a_training_on_a_strangers_modality_is_killed_and_resumed",
    "test_a_training_whose_disk_is_full_goes_on_when_there_is_space",
    "test_a_torn_checkpoint_is_passed_over_for_the_one_before",
    "test_a_model_that_does_not_fit_is_written_when_there_is_space",
    "test_vectors_and_weights_that_do_not_fit",
    "test_a_killed_training_leaves_no_run_that_looks_finished",
    "test_what_cannot_be_resumed_is_said",
    "test_sigterm_saves_and_leaves",
    "test_a_feature_cache_that_is_full",
    "test_a_memory_that_is_damaged_or_cannot_be_written_is_no_harm",
    "test_killed_resumed_and_finished_twice_it_is_there_once",
    # Long trainings whose parts others test
    "test_the_same_seed_gives_the_same_weights_though_dropout_is_active",
    "test_one_seed_gives_one_result",
    "test_a_plan_repeats_a_run",
    "test_a_second_phase_that_helps_nothing_is_undone",
    "test_a_foreign_encoder_trains_freezes_saves_and_loads_where_its_folder_is_gone",
    "test_with_what_is_frozen_kept_or_computed_in_every_epoch_a_run_is_the_same",
    "test_every_epoch_sees_other_views_where_nothing_is_kept",
    "test_steps_in_bfloat16_leave_float32_weights_and_near_figures",
    "test_it_trains_in_mixed_precision",
    "test_balanced_weights_help_the_rare_class",
    "test_words_are_tagged_after_training_on_sentences_of_all_lengths",
    "test_what_is_not_finite_leaves_a_run_that_can_be_finished_and_a_program_that_is_announced",
    "test_a_few_views_are_kept_and_the_next_run_takes_them",
    "test_what_was_asked_first_changes_no_answer",
    "test_a_head_with_targets_outputs_and_answers_of_its_own_shape",
    "test_a_picture_is_decoded_once_and_then_never",
    "test_every_command_says_it_once",
    "test_the_head_computes_in_float32_whatever_the_precision",
    "test_features_of_words_come_back_from_their_file_as_they_were",
    "test_what_the_data_was_taken_for_is_said",
    "test_kernels_of_onednn_are_on_unless_switched_off[None-True]",
    "test_float16_without_a_gpu_is_refused_before_anything_is_made",
    "test_a_training_needs_no_standard_error",
    "test_tokens_are_those_of_keras_hub_trimmed_to_the_batch",
    "test_a_loss_that_is_no_number_stops_with_advice_and_keeps_the_last_good_checkpoint",
    "test_a_plan_is_changed_by_the_options_beside_it",
    "test_a_smaller_batch_takes_neither_the_data_nor_a_second_model",
    "test_features_that_are_cached_need_no_room",
    "test_without_room_what_is_frozen_is_computed_in_every_epoch",
    "test_a_file_name_that_is_no_valid_text_is_answered_for",
    "test_a_heavy_import_and_a_failing_one_are_found",
    "test_after_a_pull_everything_works_with_the_network_cut_off",
    "test_the_offline_set_is_carried_to_a_machine_without_a_network",
    "folder[regression-stars",
    "folder[pair_regression-stars",
    "folder[classification-label",
    # Explanations: trainings of minutes, networks of others, and heads one by one
    "test_the_word_that_decides_has_the_largest_share",
    *(f"test_networks_of_pictures_have_heat_from_their_map[{one}" for one in ("resnet50", "inception_v3", "convnext")),
    "test_each_head_says_what_is_explained",
    "test_the_heat_is_in_the_corner_that_decides",
    # KerasHub: as the presets are trained and packed
    "test_minilm_keeps_every_promise",
    "test_kerashub.py::test_a_run_is_trained_and_asked_in_another_process",
    "test_without_its_files_a_preset_is_a_sentence_and_pull_brings_them",
    "test_only_what_is_unfrozen_is_trained_on_features_kept_from_the_frozen_part",
    # MLflow: in an environment of its own, which takes 350 MB
    "test_a_training_that_is_killed_and_resumed_is_one_run_whose_model_answers_as_zoo_does",
    "test_where_nobody_answers_the_training_goes_on_and_is_reported_later",
    # The whole life of a plugin, and installations that end in other ways
    "test_a_plugin_is_found_installed_trained_upgraded_and_removed",
    "test_the_newcomers_way_in_the_guide_works_as_it_stands",
    *(f"test_install.py::test_killed_while_{moment}" for moment in ("files_are_laid_out", "the_plugin_is_tried")),
    "test_killed_while_a_plugin_is_removed",
    "test_what_came_for_a_plugin_goes_with_it_though_an_extra_of_another_names_it",
    "test_what_somebody_asked_pip_for_stays",
    "test_a_wheel_cannot_change_what_belongs_to_others[six.py]",
    "test_a_wheel_cannot_change_what_belongs_to_others[keras/__init__.py]",
    "test_a_plugin_that_broke_later_stops_nothing_and_is_removed",
    "test_a_plugin_that_does_not_fit_on_the_disk",
    "test_two_at_once_wait_for_each_other",
    "test_uv_does_it_where_there_is_no_pip",
    *(
        f"refused_and_nothing_changes[{name}"
        for name in ("heavy", "exits", "heads", "raises", "no_plugin", "needs_none")
    ),
    "test_what_is_remembered_is_never_stale",
    # Strangers: whole environments, trainings and clocks
    "test_nine_kinds_of_hostile_plugins_leave_everything_working",
    "test_a_training_goes_on_a_year_later_or_earlier",
    "test_what_plugins_offer_is_not_stale_after_a_jump",
    "test_a_training_on_names_at_the_limits",
    "test_every_folder_that_commands_make_is_for_its_owner_alone",
    "registry/test_hostile_wheels.py",
    *(
        f"test_source_code.py::test_{rest}"
        for rest in (
            "source_code_is_refused_unless_it_may_be_built",
            "a_folder_is_read_first_and_built_after_the_question",
            "what_another_plugin_offers_too_is_said_before_the_question",
            "a_plugin_from_a_folder_is_upgraded_from_it",
            "what_only_the_build_shows_is_asked_again",
            "what_a_project_sets_for_uv_or_pip_is_not_meant",
            "a_name_that_no_registry_lists_is_not_looked_for_on_the_index",
            "a_module_of_the_working_folder_is_not_run_instead_of_pip",
            "a_folder_without_pyproject_is_not_run_to_look_at_it",
            "an_archive_of_a_wheel_is_not_taken_for_one",
        )
    ),
    "test_an_answer_that_is_forged_silences_nothing[{",
    *(f"test_a_plugin_is_switched_off_however_its_name_is_written[{name}" for name in ("zoo", "ZOO.Odd", "odd")),
    *(f"test_any_value_of_a_file_is_read_or_refused_by_a_sentence[{name}" for name in ("provenance.json", "plan.toml")),
    "-split.csv]",
    "test_what_others_can_change_is_neither_remembered_nor_believed",
    "test_hostile_names_are_shown_and_not_obeyed",
    "test_a_name_that_is_no_utf8[file",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests in the order of `LONGEST`, and mark `SLOW` and `LONG` ones; each name there must be of some."""

    def rank(item: pytest.Item) -> int:
        path = item.path.as_posix()
        return next((place for place, part in enumerate(LONGEST) if part in path), len(LONGEST))

    items.sort(key=rank)
    idle = {*SLOW, *LONG}
    for item in items:
        for names, mark in ((SLOW, pytest.mark.slow), (LONG, pytest.mark.long)):
            if parts := {part for part in names if part in item.nodeid}:
                item.add_marker(mark)
                idle -= parts
    if idle and config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        raise pytest.UsageError(f"conftest.SLOW or LONG names what is no test: {', '.join(sorted(idle))}")


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing of the person who runs the tests is read or written: cache and settings are in temporary folders."""
    os.environ["ZOO_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    os.environ["ZOO_CONFIG"] = str(tmp_path_factory.mktemp("config"))
    os.environ["ZOO_REPORT"] = "0"  # which takes longer than many a training; tests of it set another
    for name in ("ZOO_DISABLE", "ZOO_MIRROR", "ZOO_OFFLINE", "ZOO_DEBUG", "ZOO_QUIET"):
        os.environ.pop(name, None)


class Environment:
    """A virtual environment that sees the packages of this one, and has room for more."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder / "env", symlinks=True)
        self.folder = folder
        self.python = folder / "env" / "bin" / "python"
        (self.library,) = (folder / "env" / "lib").glob("python*/site-packages")
        outer = sysconfig.get_path("purelib")
        (self.library / "outer.pth").write_text(f"import site; site.addsitedir({outer!r})\n")

    def install(self, *projects: Path | str) -> None:
        """Install distributions by real pip, with the build backend of this environment ("-e": editable)."""
        command = [self.python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
        subprocess.run([*command, *projects], check=True, capture_output=True, text=True)

    def zoo(self, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        return _zoo(self.python, *arguments, **variables)

    def write_plugin(self, name: str, module: str) -> Path:
        """A distribution that offers one plugin, as anybody would write it."""
        project = self.folder / f"project-{name}"
        (project / f"zoo_{name}").mkdir(parents=True)
        (project / f"zoo_{name}" / "__init__.py").write_text(textwrap.dedent(module))
        (project / "pyproject.toml").write_text(
            textwrap.dedent(f"""
            [build-system]
            requires = ["hatchling"]
            build-backend = "hatchling.build"
            [project]
            name = "zoo-{name}"
            version = "1.0"
            [project.entry-points."zoo.plugins"]
            {name} = "zoo_{name}"
            """)
        )
        return project


def _zoo(python: Path | str, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [python, "-m", "zoo", *map(str, arguments)],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture(scope="session")
def zoo_command():
    """Run the command line in a process of its own."""

    def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        return _zoo(sys.executable, *arguments, **variables)

    return run


@pytest.fixture
def zoo_here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """The command line in this process, where TensorFlow has been started already: (exit status, stdout, stderr)."""
    from zoo.cli.main import main

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["zoo", *map(str, arguments)])
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(bool(end.code))
        else:
            status = 0
        return status, *capfd.readouterr()

    return run


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path)


@pytest.fixture(scope="session")
def clipart() -> Path:
    return CLIPART


@pytest.fixture(scope="session")
def unseen() -> Path:
    return UNSEEN


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory: pytest.TempPathFactory, zoo_command, worker_id: str) -> Path:
    """A run on the example pictures with all defaults, made by the command line; one for all workers."""
    base = tmp_path_factory.getbasetemp()
    out = (base if worker_id == "master" else base.parent) / "clipart"
    with FileLock(f"{out}.lock"):
        if not (out / "metrics.json").exists():
            result = zoo_command("train", "efficientnet_lite0", CLIPART, "--out", out)
            assert result.returncode == 0, result.stderr
    return out


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SavedModels of a text encoder of two layers, in TensorFlow Hub's format."""
    folder = tmp_path_factory.mktemp("tiny")
    with zipfile.ZipFile(ROOT / "plugins/tfhub_bert/tests/tiny_bert.zip") as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def few_pictures(tmp_path: Path) -> Path:
    """Twelve pictures of two classes."""
    for label in ("birds", "music"):
        folder = tmp_path / "few" / label
        folder.mkdir(parents=True)
        for picture in sorted((CLIPART / label).iterdir())[:6]:
            (folder / picture.name).write_bytes(picture.read_bytes())
    return tmp_path / "few"
