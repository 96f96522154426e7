# SPDX-License-Identifier: Apache-2.0
"""Graph passes: from an imported graph to the engine's operators.

A pass is a function from graph to graph in a file of its own; its docstring lists what it turns
into what. It returns the very graph it was given when nothing has changed.
"""

from __future__ import annotations

from collections.abc import Sequence

from bitpose.errors import GraphError
from bitpose.ir.graph import Graph
from bitpose.ir.validate import validate
from bitpose.passes.annotate_quantization import annotate_quantization
from bitpose.passes.compose_tables import compose_tables
from bitpose.passes.dense_layers import dense_layers
from bitpose.passes.dequantize_constants import dequantize_constants
from bitpose.passes.drop_identities import drop_identities
from bitpose.passes.eliminate_dead import eliminate_dead
from bitpose.passes.engine_operators import engine_operators
from bitpose.passes.flatten_deconvolutions import flatten_deconvolutions
from bitpose.passes.fold_casts import fold_casts
from bitpose.passes.fold_clips import fold_clips
from bitpose.passes.fold_constants import fold_constants
from bitpose.passes.fold_pads import fold_pads
from bitpose.passes.fold_scales import fold_scales
from bitpose.passes.fuse_activations import fuse_activations
from bitpose.passes.hoist_quantize import hoist_quantize
from bitpose.passes.integer_operators import integer_operators
from bitpose.passes.make_tables import make_tables
from bitpose.passes.merge_duplicates import merge_duplicates
from bitpose.passes.merge_reshapes import merge_reshapes
from bitpose.passes.real_convolutions import real_convolutions
from bitpose.passes.rewriter import Pass
from bitpose.passes.sink_dequantize import sink_dequantize
from bitpose.passes.sink_transposes import sink_transposes
from bitpose.passes.tidy_names import tidy_names
from bitpose.passes.unsigned_to_signed import unsigned_to_signed

PIPELINE: Sequence[Pass] = (
    eliminate_dead,
    fold_constants,
    dense_layers,
    fold_scales,
    annotate_quantization,
    unsigned_to_signed,
    drop_identities,
    fold_clips,
    hoist_quantize,
    fold_clips,
    sink_dequantize,
    fold_pads,
    fold_casts,
    fold_constants,
    drop_identities,
    make_tables,
    integer_operators,
    real_convolutions,
    dequantize_constants,
    fold_constants,
    fuse_activations,
    flatten_deconvolutions,
    engine_operators,
    sink_transposes,
    merge_reshapes,
    compose_tables,
    merge_duplicates,
    tidy_names,
)


#: What a float graph goes through before it is quantized.
FLOAT_PIPELINE: Sequence[Pass] = (
    eliminate_dead,
    fold_constants,
    dense_layers,
    fold_constants,
    fold_scales,
    drop_identities,
    fold_clips,
    fold_pads,
    fuse_activations,
    flatten_deconvolutions,
)


def run_passes(graph: Graph, pipeline: Sequence[Pass] = PIPELINE) -> Graph:
    """Runs passes in order and checks the graph after each.

    Raises GraphError, which names the pass, when one breaks an invariant, and whatever a pass
    raises about the model itself.
    """
    for step in pipeline:
        graph = step(graph)
        try:
            validate(graph)
        except GraphError as error:
            raise GraphError(f"after the pass {step.__name__}: {error}") from error
    return graph
