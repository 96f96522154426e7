// SPDX-License-Identifier: Apache-2.0
#include "engine/model/format.h"
#include "engine/ops/operator.h"
#include "python/bindings/bindings.h"

namespace bitpose::python {
namespace {

const char* type_name(FieldType type) {
  switch (type) {
    case FieldType::kU8:
      return "u8";
    case FieldType::kU32:
      return "u32";
    case FieldType::kS32:
      return "s32";
    case FieldType::kF32:
      return "f32";
    case FieldType::kU64:
      return "u64";
  }
  return "";
}

py::dict layout(uint32_t bytes, Fields fields) {
  py::list rows;
  for (const Field& field : fields) {
    rows.append(py::make_tuple(field.name, type_name(field.type), field.offset, field.count));
  }
  py::dict entry;
  entry["bytes"] = bytes;
  entry["fields"] = rows;
  return entry;
}

py::dict structs() {
  py::dict all;
  for (const format::StructInfo& info : format::structs()) {
    all[info.name] = layout(info.bytes, info.fields);
  }
  return all;
}

py::dict operators() {
  py::dict all;
  for (const OperatorType* type : operator_types()) {
    py::dict entry = layout(type->attribute_bytes, type->fields);
    entry["min_inputs"] = type->min_inputs;
    entry["max_inputs"] = type->max_inputs;
    entry["outputs"] = type->outputs;
    all[type->name] = entry;
  }
  return all;
}

py::dict dtypes() {
  py::dict all;
  for (const DType dtype : kDTypes) all[dtype_name(dtype)] = static_cast<uint32_t>(dtype);
  return all;
}

py::dict section_kinds() {
  using format::SectionKind;
  py::dict all;
  const auto add = [&all](const char* name, SectionKind kind) {
    all[name] = static_cast<uint32_t>(kind);
  };
  add("strings", SectionKind::kStrings);
  add("data", SectionKind::kData);
  add("network", SectionKind::kNetwork);
  add("metadata", SectionKind::kMetadata);
  add("asset", SectionKind::kAsset);
  return all;
}

py::dict schema() {
  py::dict all;
  all["structs"] = structs();
  all["operators"] = operators();
  all["version"] = format::kVersion;
  all["magic"] = py::bytes(format::kMagic, sizeof(format::kMagic));
  all["alignment"] = format::kAlignment;
  all["data_slack"] = format::kDataSlack;
  all["max_sections"] = format::kMaxSections;
  all["max_name_bytes"] = format::kMaxNameBytes;
  all["section_kinds"] = section_kinds();
  all["dtypes"] = dtypes();
  return all;
}

}  // namespace

void register_schema(py::module_& module) {
  module.def("schema", schema, "The layout of `.bpm` files as the engine reads them.");
}

}  // namespace bitpose::python
