// SPDX-License-Identifier: Apache-2.0
#include "engine/model/format.h"

#include <limits>

namespace bitpose::format {
namespace {

constexpr double kMaxU32 = std::numeric_limits<uint32_t>::max();
constexpr double kMaxFloat = std::numeric_limits<float>::max();
constexpr double kMaxBytes = 9007199254740992.0;  // 2^53, the last that a double counts exactly.

constexpr Field kHeader[] = {
    BITPOSE_FIELD(Header, magic, 0, 255),
    BITPOSE_FIELD(Header, version, kVersion, kVersion),
    BITPOSE_FIELD(Header, section_count, 3, kMaxSections),
    BITPOSE_FIELD(Header, file_bytes, sizeof(Header), kMaxBytes),
    BITPOSE_FIELD(Header, crc32, 0, kMaxU32),
    BITPOSE_FIELD(Header, header_bytes, sizeof(Header), sizeof(Header)),
    BITPOSE_FIELD(Header, reserved, 0, 0),
};

constexpr Field kSection[] = {
    BITPOSE_FIELD(Section, kind, 1, kMaxU32),
    BITPOSE_FIELD(Section, optional, 0, 1),
    BITPOSE_FIELD(Section, name_offset, 0, kMaxU32),
    BITPOSE_FIELD(Section, name_length, 0, kMaxNameBytes),
    BITPOSE_FIELD(Section, offset, 0, kMaxBytes),
    BITPOSE_FIELD(Section, bytes, 0, kMaxBytes),
};

constexpr Field kStringRef[] = {
    BITPOSE_FIELD(StringRef, offset, 0, kMaxU32),
    BITPOSE_FIELD(StringRef, length, 0, kMaxU32),
};

constexpr Field kNetwork[] = {
    BITPOSE_FIELD(Network, tensors, 1, kMaxTensors),
    BITPOSE_FIELD(Network, operators, 0, kMaxOperators),
    BITPOSE_FIELD(Network, operands, 1, kMaxOperands),
    BITPOSE_FIELD(Network, inputs, 0, kMaxGraphInputs),
    BITPOSE_FIELD(Network, outputs, 1, kMaxGraphInputs),
    BITPOSE_FIELD(Network, attribute_bytes, 0, kMaxU32),
};

constexpr Field kTensor[] = {
    BITPOSE_FIELD(Tensor, name_offset, 0, kMaxU32),
    BITPOSE_FIELD(Tensor, name_length, 1, kMaxNameBytes),
    BITPOSE_FIELD(Tensor, dtype, 1, std::size(kDTypes)),
    BITPOSE_FIELD(Tensor, rank, 0, kMaxRank),
    BITPOSE_FIELD(Tensor, dims, 0, static_cast<double>(kMaxElements)),
    BITPOSE_FIELD(Tensor, scale, 0, kMaxFloat),
    BITPOSE_FIELD(Tensor, zero_point, -32768, 32767),
    BITPOSE_FIELD(Tensor, is_constant, 0, 1),
    BITPOSE_FIELD(Tensor, reserved, 0, 0),
    BITPOSE_FIELD(Tensor, data_offset, 0, kMaxBytes),
};

constexpr Field kOperator[] = {
    BITPOSE_FIELD(Operator, type_offset, 0, kMaxU32),
    BITPOSE_FIELD(Operator, type_length, 1, kMaxNameBytes),
    BITPOSE_FIELD(Operator, name_offset, 0, kMaxU32),
    BITPOSE_FIELD(Operator, name_length, 0, kMaxNameBytes),
    BITPOSE_FIELD(Operator, first_operand, 0, kMaxOperands),
    BITPOSE_FIELD(Operator, inputs, 0, kMaxOperands),
    BITPOSE_FIELD(Operator, outputs, 1, kMaxOperands),
    BITPOSE_FIELD(Operator, attribute_offset, 0, kMaxU32),
};

constexpr StructInfo kStructs[] = {
    {"Header", sizeof(Header), kHeader},          {"Section", sizeof(Section), kSection},
    {"StringRef", sizeof(StringRef), kStringRef}, {"Network", sizeof(Network), kNetwork},
    {"Tensor", sizeof(Tensor), kTensor},          {"Operator", sizeof(Operator), kOperator},
};

}  // namespace

constexpr Fields kHeaderFields = kHeader;
constexpr Fields kSectionFields = kSection;
constexpr Fields kNetworkFields = kNetwork;
constexpr Fields kTensorFields = kTensor;
constexpr Fields kOperatorFields = kOperator;

std::span<const StructInfo> structs() { return kStructs; }

}  // namespace bitpose::format
