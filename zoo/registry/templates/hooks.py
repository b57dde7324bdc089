"""$offers for zoo. Import nothing heavy here: `zoo list` imports this module."""

import zoo

ZOO_API = "$api"
$hooks
