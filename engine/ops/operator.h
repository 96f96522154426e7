// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "engine/model/fields.h"
#include "engine/model/status.h"
#include "engine/model/tensor.h"
#include "kernels/base/isa.h"

namespace bitpose {

class ThreadPool;

/// Work of one run of an operator, for the profiler.
struct Cost {
  uint64_t macs = 0;
  uint64_t bytes = 0;  ///< Activations read and written and weights read, each once.
};

/// A tensor of a run: its memory, and its shape, dtype and quantization.
struct TensorRef {
  void* data = nullptr;
  const TensorDesc* desc = nullptr;

  template <typename T>
  const T* as() const {
    return static_cast<const T*>(data);
  }
  template <typename T>
  T* mutable_as() const {
    return static_cast<T*>(data);
  }
  const Shape& shape() const { return desc->shape; }
};

struct RunArgs {
  std::span<const TensorRef> inputs;  ///< Constants included.
  std::span<const TensorRef> outputs;
  std::byte* scratch = nullptr;  ///< threads * scratch_per_thread() bytes, aligned to kAlignment.
  size_t scratch_stride = 0;     ///< From one thread's to the next.
  ThreadPool* pool = nullptr;

  std::byte* scratch_of(size_t thread) const { return scratch + thread * scratch_stride; }
};

/// An operator of a network: immutable once created, so that any number of contexts may run it at
/// once.
///
/// Life cycle: create (checks operands and attributes, packs constants) / reshape (shapes of
/// outputs from those of inputs) / run. All that depends on shapes is derived in `run` from the
/// shapes it is given, of which every extent may be smaller than before the run; what takes memory
/// is asked for by `scratch_per_thread`.
class Operator {
 public:
  Operator() = default;
  Operator(const Operator&) = delete;
  Operator& operator=(const Operator&) = delete;
  virtual ~Operator() = default;

  /// Sets the shapes of `outputs` (their names and dtypes are given) for inputs of these shapes.
  virtual Status reshape(std::span<const TensorDesc> inputs,
                         std::span<TensorDesc> outputs) const = 0;

  /// Scratch memory that each thread needs, for the shapes that `reshape` accepted.
  virtual size_t scratch_per_thread(std::span<const TensorDesc> inputs,
                                    std::span<const TensorDesc> outputs) const {
    (void)inputs, (void)outputs;
    return 0;
  }

  /// Computes the outputs. Cannot fail: whatever could is checked before.
  virtual void run(const RunArgs& args) const = 0;

  /// The input whose memory the first output may take over when nobody reads it later, or -1.
  virtual int in_place_input() const { return -1; }

  /// True when `reshape` goes by the values of inputs (TensorDesc::constant). Where such a value is
  /// computed, the shapes of outputs, and all that follow from them, are known only in a run:
  /// before it `reshape` gives the largest that can come out, for which memory is planned, and in
  /// each run it is called again with what is known by then.
  virtual bool shapes_follow_values() const { return false; }

  /// True when `run` also does what it should where an input has no elements but the output has
  /// some. An operator whose output is empty does not run at all.
  virtual bool takes_empty_inputs() const { return false; }

  /// True when the output is the first elements of the first input under another shape: no work, no
  /// memory.
  virtual bool is_view() const { return false; }

  /// What one run does. MACs bound the work of a run that a session accepts, so an operator that
  /// does more than a few steps per output element states them. Both numbers must not overflow.
  virtual Cost cost(std::span<const TensorDesc> inputs, std::span<const TensorDesc> outputs) const;

  /// Bytes of packed weights and tables that the operator holds.
  virtual size_t packed_bytes() const { return 0; }

  /// The kernel that `create` picked, for the profiler.
  virtual const char* kernel_name() const { return "-"; }
};

/// What `create` may use.
///
/// An operator with attributes describes them by a struct of 4-byte members and its field table:
///
///   struct Attributes {
///     uint32_t axis;
///     float lower;
///   };
///   constexpr Field kFields[] = {
///       BITPOSE_FIELD(Attributes, axis, 0, kMaxRank - 1),
///       BITPOSE_FIELD(Attributes, lower, -kUnbounded, kUnbounded),
///   };
///
/// with `.fields = kFields, .attribute_bytes = sizeof(Attributes)` in its OperatorType, and reads
/// them by `args.as<Attributes>()`. Every value is in its range by then; what relates two values
/// or a value and a shape is for the operator to check.
struct CreateArgs {
  const void* attributes = nullptr;    ///< The operator's struct, already checked by its fields.
  std::span<const TensorDesc> inputs;  ///< Constants have their data.
  std::span<const TensorDesc> outputs;
  isa::Set isas = isa::scalar;

  template <typename Attributes>
  const Attributes& as() const {
    return *static_cast<const Attributes*>(attributes);
  }
};

/// A kind of operator. One file in engine/ops/ and one line in ops.inc.
struct OperatorType {
  const char* name;  ///< As it stands in model files.
  Fields fields;
  uint32_t attribute_bytes;
  uint32_t min_inputs, max_inputs, outputs;
  Status (*create)(const CreateArgs& args, std::unique_ptr<Operator>* op);
  /// The second input may be stored as float16: `create` is given it as float32, and the operator
  /// keeps no pointer to it.
  bool widens_weights = false;
};

/// Whether an operator can run on these shapes: an input without elements needs an operator that
/// takes it, unless there is nothing to compute.
Status check_empty_inputs(const Operator& op, std::span<const TensorDesc> inputs,
                          std::span<const TensorDesc> outputs);

/// All kinds, in the order of ops.inc.
std::span<const OperatorType* const> operator_types();

/// The kind of that name, or null.
const OperatorType* find_operator_type(std::string_view name);

#define OPERATOR(name) extern const OperatorType name##_type;
#include "engine/ops/ops.inc"
#undef OPERATOR

}  // namespace bitpose
