// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "engine/model/fields.h"
#include "engine/model/tensor.h"

/// The bytes of a `.bpm` model, byte by byte in docs/model-format.md. Little-endian; every section
/// and every constant starts at a multiple of 64. Structs here are read in place from a mapped
/// file.
namespace bitpose::format {

inline constexpr char kMagic[8] = {'b', 'i', 't', 'p', 'o', 's', 'e', '\0'};
inline constexpr uint32_t kVersion = 1;
inline constexpr uint32_t kAlignment = 64;

/// Bytes that the data section has behind the last constant, for kernels that read over the end.
inline constexpr uint32_t kDataSlack = 64;

inline constexpr uint32_t kMaxSections = 4096;
inline constexpr uint32_t kMaxTensors = 1u << 16;
inline constexpr uint32_t kMaxOperators = 1u << 14;
inline constexpr uint32_t kMaxOperands = 1u << 20;
inline constexpr uint32_t kMaxGraphInputs = 1024;  ///< Also of graph outputs.
inline constexpr uint32_t kMaxNameBytes = 4096;    ///< Of sections, tensors and operators.

enum class SectionKind : uint32_t {
  kStrings = 1,   ///< UTF-8 text that everything else refers to by StringRef. Exactly one.
  kData = 2,      ///< Constants. Exactly one.
  kNetwork = 3,   ///< Named; at least one.
  kMetadata = 4,  ///< Pairs of StringRef, sorted by key: provenance, licences.
  kAsset = 5,     ///< Named bytes: labels, a body model.
};

/// Bytes [offset, offset + length) of the strings section.
struct StringRef {
  uint32_t offset;
  uint32_t length;
};

struct Header {
  uint8_t magic[8];
  uint32_t version;
  uint32_t section_count;
  uint64_t file_bytes;
  uint32_t crc32;         ///< Of all bytes behind the header (CRC-32 of zlib).
  uint32_t header_bytes;  ///< 64: where the section table starts.
  uint8_t reserved[32];
};

/// A reader skips a section of a kind it does not know if the section is optional, else it refuses.
struct Section {
  uint32_t kind;
  uint32_t optional;
  uint32_t name_offset;
  uint32_t name_length;
  uint64_t offset;
  uint64_t bytes;
};

/// A network section: this struct, then the tables it counts, in this order, without gaps:
/// Tensor[tensors], Operator[operators], uint32 operands[operands], attribute bytes.
struct Network {
  uint32_t tensors;
  uint32_t operators;
  uint32_t operands;  ///< Entries of the operand table: tensor indices.
  uint32_t inputs;    ///< The first `inputs` operands are the graph inputs,
  uint32_t outputs;   ///< the next `outputs` ones the graph outputs.
  uint32_t attribute_bytes;
};

struct Tensor {
  uint32_t name_offset;
  uint32_t name_length;
  uint32_t dtype;
  uint32_t rank;
  uint32_t dims[kMaxRank];
  float scale;
  int32_t zero_point;
  uint32_t is_constant;
  uint32_t reserved;
  /// In the data section, multiple of 64; the length follows from the shape. Two constants of a
  /// network have the same bytes or none in common.
  uint64_t data_offset;
};

/// Operators stand in execution order; their operands follow each other, without gaps, behind those
/// of the graph.
struct Operator {
  uint32_t type_offset;  ///< Its kind by name, for example "conv2d_qs8".
  uint32_t type_length;
  uint32_t name_offset;
  uint32_t name_length;
  uint32_t first_operand;  ///< Inputs, then outputs, in the operand table.
  uint32_t inputs;
  uint32_t outputs;
  uint32_t attribute_offset;  ///< In the attribute bytes, multiple of 4; the kind gives the length.
};

/// A struct of the format with its field table, for writers and printers.
struct StructInfo {
  const char* name;
  uint32_t bytes;
  Fields fields;
};

/// Header, Section, StringRef, Network, Tensor and Operator.
std::span<const StructInfo> structs();

/// The table of one of them.
extern const Fields kHeaderFields;
extern const Fields kSectionFields;
extern const Fields kNetworkFields;
extern const Fields kTensorFields;
extern const Fields kOperatorFields;

static_assert(sizeof(Header) == 64 && sizeof(Section) == 32 && sizeof(Network) == 24);
static_assert(sizeof(Tensor) == 64 && sizeof(Operator) == 32);

}  // namespace bitpose::format
