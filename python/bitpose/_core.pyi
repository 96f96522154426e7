# SPDX-License-Identifier: Apache-2.0
"""The engine: models, sessions, the layout of model files, and every kernel by name."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

class Model:
    """What a `.bpm` file holds, completely checked. Immutable."""

    def __init__(self, model: bytes | str) -> None:
        """Reads the bytes of a `.bpm` model, or maps the file at a path.

        Raises InvalidModelError, UnsupportedModelError, OSError and MemoryError.
        """

    @property
    def networks(self) -> list[str]:
        """Their names, in the order of the file; at least one."""

    @property
    def metadata(self) -> dict[str, str]: ...
    @property
    def assets(self) -> dict[str, int]:
        """The size of each asset in bytes, by its name."""

    def asset(self, name: str) -> memoryview:
        """The bytes of an asset, without a copy; the view keeps the model. Raises InputError."""

    def network(self, name: str) -> dict[str, Any]:
        """What `bitpose.model_file` writes a network from; "" stands for the first one.

        - "name"; "inputs" and "outputs", tensor indices;
        - "tensors": a list of (name, dtype, shape, scale, zero_point, bytes of a constant or None);
        - "operators": a list of (type, name, inputs, outputs, attributes by name).

        Raises InputError.
        """

class TensorInfo:
    """An input or output of a network."""

    @property
    def name(self) -> str: ...
    @property
    def dtype(self) -> str:
        """As numpy names it: "float32", "int8", "uint8", "int32", "int64" or "bool"."""

    @property
    def shape(self) -> list[int]: ...
    @property
    def scale(self) -> float:
        """real = scale * (q - zero_point); 0 for a tensor that is not quantized."""

    @property
    def zero_point(self) -> int: ...

class PlannedTensor:
    """Where a tensor lies during a run, and when."""

    @property
    def name(self) -> str: ...
    @property
    def offset(self) -> int:
        """Of its first byte in the arena. Tensors that share memory share a life as well."""

    @property
    def bytes(self) -> int: ...
    @property
    def first(self) -> int:
        """Step 0 fills the inputs, step i + 1 runs operator i."""

    @property
    def last(self) -> int:
        """The last step that needs the memory; the one behind the last operator is the outputs'."""

class OperatorProfile:
    """What one operator took in a run."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def kernel(self) -> str:
        """The kernel that was picked for this CPU, "-" for an operator that has none."""

    @property
    def microseconds(self) -> float: ...
    @property
    def macs(self) -> int: ...
    @property
    def bytes(self) -> int:
        """Activations read and written and weights read, each once."""

class Session:
    """A network that is loaded and packed for this CPU.

    Any number of Python threads may use a session at once; the interpreter's lock is released while
    the network runs. Arrays must have exactly the dtype and shape of their tensor and be
    contiguous.
    """

    def __init__(
        self,
        model: bytes | str,
        threads: int = 1,
        isa: str | None = None,
        keep_intermediates: bool = False,
        network: str = "",
    ) -> None:
        """Loads the bytes of a `.bpm` model, or the file at a path.

        `network` names the one to run; the first one without.
        `threads` work on each run; 0 means one for each CPU. `isa` names the best instruction set
        to use ("scalar", "avx2", "neon", ...); None takes the best there is, or what the
        environment variable BITPOSE_ISA names.

        Raises InvalidModelError, UnsupportedModelError, InputError for an unknown `isa` or network,
        OSError and MemoryError.
        """

    @property
    def inputs(self) -> list[TensorInfo]: ...
    @property
    def outputs(self) -> list[TensorInfo]: ...
    @property
    def tensor_infos(self) -> list[TensorInfo]:
        """Every tensor of the network, constants included."""

    @property
    def memory_plan(self) -> list[PlannedTensor]:
        """Every tensor that lies in the arena."""

    def run(self, inputs: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Runs the network on one array for each input. Returns new arrays. Raises InputError."""

    def tensors(self) -> dict[str, NDArray[Any]]:
        """What the operators read and wrote in the last run, by name; constants are left out.

        Needs `keep_intermediates`. Raises InputError without it or before the first run.
        """

    def profile(self, inputs: Sequence[NDArray[Any]]) -> list[OperatorProfile]:
        """Runs the network once and says what each operator took, in execution order."""

    def chrome_trace(self) -> str:
        """The last profile as a time line in Chrome's trace format, JSON.

        Raises InputError when there is none.
        """

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one run."""

    @property
    def arena_bytes(self) -> int:
        """Memory of all activations of one run."""

    @property
    def arena_lower_bound(self) -> int:
        """The least that any plan of the arena could need."""

    @property
    def scratch_bytes(self) -> int:
        """Working memory of one run besides the arena."""

    @property
    def packed_bytes(self) -> int:
        """Packed weights and tables."""

def schema() -> dict[str, Any]:
    """The layout of `.bpm` files, from the field tables that the engine reads them by.

    - "structs": by name ("Header", "Section", "StringRef", "Network", "Tensor", "Operator") a dict
      of "bytes" and "fields", a list of (name, type, offset, count); type is "u8", "u32", "s32",
      "f32" or "u64", little-endian;
    - "operators": by kind the same for its attributes, and "min_inputs", "max_inputs", "outputs";
    - "dtypes" and "section_kinds": their numbers by name;
    - "magic" (bytes), "version", "alignment" of sections and constants, "data_slack": the bytes
      that the data section has behind its last constant;
    - "max_sections", "max_name_bytes": more a reader refuses.
    """

def kernels() -> list[tuple[str, str, str, bool]]:
    """Every kernel of this build: family, name, instruction set, whether it runs here."""

def compare_kernel(family: str, name: str, seed: int) -> str:
    """Runs a kernel and its family's portable one on the random problem of a seed.

    Returns the first difference, or an empty string. Raises InputError for a kernel that is unknown
    or does not run here.
    """

def time_kernels(
    filter: str, samples: int, sample_seconds: float, isa: str | None
) -> list[dict[str, Any]]:
    """Times the kernels that run here and whose name contains `filter`, on their family's shapes.

    A sample repeats a kernel until it has lasted `sample_seconds`; samples of a family take turns.
    Each row has family, kernel, isa and shape (str), macs and bytes of a run (int), and
    median_seconds, p10_seconds, p90_seconds and portable_seconds (float), see
    kernels/base/benchmark.h.
    """

def exp_f32(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """exp of each element by the engine's own function, the same bits on every CPU."""

def igemm_qs8(
    kernel: str,
    a: NDArray[np.int8],
    weights: NDArray[np.int8],
    bias: NDArray[np.int32],
    multiplier: NDArray[np.float32],
    input_zero_point: int,
    weight_zero_point: int,
    zero_point: int,
    qmin: int,
    qmax: int,
    indirect: bool = False,
) -> NDArray[np.int8] | None:
    """Packs a layer and runs it: a [m, ks, kc], weights [n, ks, kc], bias and multiplier [n].

    Returns int8 [m, n], or None for a kernel that may not run this layer. `indirect` takes the rows
    through pointers even where ks is 1.
    """

def gemm_f32(
    kernel: str,
    a: NDArray[np.float32],
    weights: NDArray[np.float32],
    bias: NDArray[np.float32],
    fmin: float,
    fmax: float,
    indirect: bool = False,
) -> NDArray[np.float32]:
    """The same in floats: a [m, ks, kc], weights [n, ks, kc], bias [n]; returns [m, n]."""

def dwconv_qs8(
    kernel: str,
    x: NDArray[np.int8],
    weights: NDArray[np.int8],
    bias: NDArray[np.int32],
    multiplier: NDArray[np.float32],
    input_zero_point: int,
    weight_zero_point: int,
    stride_w: int,
    dilation_w: int,
    pad_left: int,
    output_w: int,
    first_row: int,
    end_row: int,
    zero_point: int,
    qmin: int,
    qmax: int,
) -> NDArray[np.int8] | None:
    """One row of output pixels: x [kernel_h, input_w, C], weights [kernel_h, kernel_w, C].

    Input rows outside [first_row, end_row) count as padding. Returns int8 [output_w, C], or None
    for a kernel that may not run this layer.
    """

def dwconv_f32(
    kernel: str,
    x: NDArray[np.float32],
    weights: NDArray[np.float32],
    bias: NDArray[np.float32],
    stride_w: int,
    output_w: int,
    fmin: float,
    fmax: float,
) -> NDArray[np.float32]:
    """The same in floats; x is as wide as the outputs need, padding included."""

def add_qs8(
    kernel: str,
    a: NDArray[np.int8],
    b: NDArray[np.int8],
    a_multiplier: int,
    b_multiplier: int,
    bias: int,
    multiplier: float,
    zero_point: int,
    qmin: int,
    qmax: int,
) -> NDArray[np.int8]:
    """requantize(a * a_multiplier + b * b_multiplier + bias); b may have one element."""

def lut_x8(kernel: str, x: NDArray[np.uint8], table: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """table[x], or None for a kernel that may not run this table of 256 bytes."""

def softmax_f32(kernel: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Softmax of each row of x [rows, n]."""

def unary_f32(
    kernel: str, function: int, x: NDArray[np.float32], alpha: float, beta: float
) -> NDArray[np.float32]:
    """The function of that number (`bitpose.ir.operators.UNARY_FUNCTIONS`) of each element."""
