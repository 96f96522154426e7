// SPDX-License-Identifier: Apache-2.0
#include "engine/model/model.h"

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "engine/model/crc32.h"
#include "engine/model/strings.h"
#include "tests/support/check.h"
#include "tests/support/model_builder.h"
#include "tests/support/model_view.h"

namespace bitpose::test {
namespace {

ModelBuilder small_model() {
  ModelBuilder builder;
  const uint32_t x = builder.input("x", DType::kS8, {1, 2, 4}, {0.5f, 3});
  const uint32_t table = builder.constant("table", DType::kU8, {256}, std::vector<uint8_t>(256, 7));
  const uint32_t y = builder.tensor("y", DType::kS8, {1, 2, 4}, {0.25f, -1});
  builder.op("lut_x8", {x, table}, {y});
  builder.output(builder.derived("slice", {y}, DType::kS8, {0.25f, -1},
                                 {{"axis", 2}, {"start", 1}, {"length", 2}}));
  builder.metadata("licence", "Apache-2.0");
  builder.metadata("producer", "test");
  builder.asset("labels", std::vector<std::byte>(5, std::byte{9}));
  return builder;
}

void crc32_is_that_of_zlib() {
  const std::string digits = "123456789";
  const auto bytes = std::as_bytes(std::span(digits));
  CHECK(crc32(bytes) == 0xcbf43926u);
  CHECK(crc32(bytes.subspan(4), crc32(bytes.first(4))) == 0xcbf43926u);
  CHECK(crc32({}) == 0);
}

void text_is_utf8() {
  CHECK(is_text("") && is_text("conv/1") && is_text("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"));
  for (const char* bad : {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf5\x80",
                          "\xf4\x90\x80\x80", "a\xe2\x82"}) {
    CHECK(!is_text(bad), bad);
  }
  CHECK(!is_text(std::string_view("a\0b", 3)));
}

void reads_what_the_file_says() {
  const std::shared_ptr<const Model> model = small_model().load();
  CHECK(model->networks().size() == 1);
  const Network* network = model->find_network("main");
  CHECK(network != nullptr && network == model->find_network("") &&
        model->find_network("other") == nullptr);
  CHECK(network->tensors.size() == 4 && network->operators.size() == 2);
  const TensorDesc& x = network->tensors[network->inputs[0]];
  CHECK(x.name == "x" && x.dtype == DType::kS8 && x.shape == Shape({1, 2, 4}));
  CHECK(x.scale == 0.5f && x.zero_point == 3 && x.constant == nullptr);
  CHECK(static_cast<const uint8_t*>(network->tensors[1].constant)[255] == 7);
  CHECK(network->tensors[network->outputs[0]].shape == Shape({1, 2, 2}));
  CHECK(model->metadata().size() == 2 && model->metadata()[1].value == "test");
  CHECK(model->assets().size() == 1 && model->assets()[0].bytes.size() == 5);
}

void maps_files() {
  const std::string path = "model_test." + std::to_string(getpid()) + ".bpm";
  const std::vector<std::byte> file = small_model().build();
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(file.data()), static_cast<std::streamsize>(file.size()));
  std::shared_ptr<const Model> model;
  CHECK_OK(Model::load(path, &model));
  model->release_pages();
  CHECK(static_cast<const uint8_t*>(model->networks()[0].tensors[1].constant)[0] == 7);
  std::remove(path.c_str());
  const Status missing = Model::load(path, &model);
  CHECK(missing.code() == StatusCode::kIoError && contains(missing.message(), path));
  CHECK(Model::load("/", &model).code() == StatusCode::kIoError);
}

// A change to a good model and what the refusal must say.
struct Damage {
  const char* name;
  std::function<void(const ModelView&)> apply;
  const char* message;
  StatusCode code = StatusCode::kInvalidModel;
  bool sealed = true;
};

void refuse(const Damage& damage) {
  std::vector<std::byte> file = small_model().build();
  damage.apply(ModelView(file));
  if (damage.sealed) seal(file);
  std::shared_ptr<const Model> model;
  const Status status = load_copy(file, &model);
  CHECK(status.code() == damage.code && contains(status.message(), damage.message),
        std::string(damage.name) + ": " + status.message());
}

using Kind = format::SectionKind;

const Damage kContainerDamage[] = {
    {"magic", [](const ModelView& m) { m.header().magic[0] = 'B'; }, "not a bitpose model"},
    {"version", [](const ModelView& m) { m.header().version = 2; }, "version 2",
     StatusCode::kUnsupported},
    {"length", [](const ModelView& m) { m.header().file_bytes += 1; }, "file_bytes"},
    {"reserved", [](const ModelView& m) { m.header().reserved[5] = 1; }, "reserved is 1"},
    {"bit flip", [](const ModelView& m) { m.data()[3] ^= std::byte{1}; }, "checksum",
     StatusCode::kInvalidModel, false},
    {"many sections", [](const ModelView& m) { m.header().section_count = 4000; }, "section table"},
    {"offset", [](const ModelView& m) { m.section(Kind::kData).offset += 1; }, "aligned"},
    {"far offset", [](const ModelView& m) { m.section(Kind::kData).offset = 1ull << 40; },
     "leave the file"},
    {"size", [](const ModelView& m) { m.section(Kind::kStrings).bytes = 1ull << 50; },
     "leave the file"},
    {"overlap", [](const ModelView& m) { m.section(Kind::kStrings).offset = 64; }, "start before"},
    {"no data", [](const ModelView& m) { m.section(Kind::kData).kind = 99; }, "0 data sections"},
    {"unknown kind", [](const ModelView& m) { m.section(Kind::kAsset).kind = 99; }, "kind 99",
     StatusCode::kUnsupported},
    {"section name", [](const ModelView& m) { m.section(Kind::kAsset).name_offset = 1u << 30; },
     "strings section"},
    {"unnamed network", [](const ModelView& m) { m.section(Kind::kNetwork).name_length = 0; },
     "has no name"},
    {"metadata", [](const ModelView& m) { m.section(Kind::kMetadata).bytes -= 1; }, "metadata"},
};

const Damage kNetworkDamage[] = {
    {"tensor count", [](const ModelView& m) { m.network().tensors += 1; }, "its tables need"},
    {"inputs", [](const ModelView& m) { m.network().inputs = 1000; }, "fewer than its"},
    {"dtype", [](const ModelView& m) { m.tensors()[0].dtype = 9; }, "dtype is 9"},
    {"computed float16", [](const ModelView& m) { m.tensors()[0].dtype = 8; },
     "is float16, which only constants may be"},
    {"rank", [](const ModelView& m) { m.tensors()[0].rank = 7; }, "rank is 7"},
    {"extra extent", [](const ModelView& m) { m.tensors()[0].dims[4] = 2; }, "dims[4] is 2"},
    {"huge", [](const ModelView& m) { m.tensors()[0].dims[0] = m.tensors()[0].dims[1] = 1u << 20; },
     "more than 2^31"},
    {"scale",
     [](const ModelView& m) { m.tensors()[0].scale = std::numeric_limits<float>::quiet_NaN(); },
     "scale is"},
    {"zero point", [](const ModelView& m) { m.tensors()[0].zero_point = 128; }, "no code of int8"},
    {"tensor name", [](const ModelView& m) { m.tensors()[2].name_length = 4000; },
     "tensor 2: string"},
    {"same name",
     [](const ModelView& m) { m.tensors()[2].name_offset = m.tensors()[0].name_offset; },
     "two tensors are named 'x'"},
    {"constant outside", [](const ModelView& m) { m.tensors()[1].data_offset = 64; },
     "tensor 1 'table'"},
    {"constant unaligned", [](const ModelView& m) { m.tensors()[1].data_offset = 8; },
     "not aligned"},
    {"constant beyond", [](const ModelView& m) { m.tensors()[1].data_offset = 1ull << 45; },
     "leave the data"},
    {"computed data", [](const ModelView& m) { m.tensors()[2].data_offset = 64; }, "no constant"},
    {"operand", [](const ModelView& m) { m.operands()[3] = 4; }, "operand 3 is tensor 4"},
    {"operands", [](const ModelView& m) { m.operators()[1].first_operand = 0; }, "do not start at"},
    {"operand count", [](const ModelView& m) { m.operators()[0].inputs = 3; }, "expected 2 to 2"},
    {"kind", [](const ModelView& m) { m.operators()[0].type_length = 3; }, "no operator 'lut'",
     StatusCode::kUnsupported},
    {"attributes", [](const ModelView& m) { m.operators()[1].attribute_offset = 4; },
     "attributes [4"},
    {"attribute", [](const ModelView& m) { m.attributes()[0] = std::byte{6}; }, "axis is 6"},
    {"cycle", [](const ModelView& m) { m.operands()[2] = 3; }, "before it is written"},
    {"written twice", [](const ModelView& m) { m.operands()[6] = 2; }, "has a value already"},
    {"writes input", [](const ModelView& m) { m.operands()[4] = 0; }, "has a value already"},
    {"constant input", [](const ModelView& m) { m.operands()[0] = 1; }, "is a constant"},
};

void refuses_damage() {
  for (const Damage& damage : kContainerDamage) refuse(damage);
  for (const Damage& damage : kNetworkDamage) refuse(damage);
}

// Two equal tables may be stored once; two that overlap are refused.
void constants_share_all_bytes_or_none() {
  ModelBuilder builder;
  const std::vector<uint8_t> table(256, 7);
  const uint32_t a = builder.constant("a", DType::kU8, {256}, table);
  builder.constant("b", DType::kU8, {256}, table);
  builder.output(a);
  std::vector<std::byte> file = builder.build();
  std::shared_ptr<const Model> model;
  ModelView(file).tensors()[1].data_offset = 0;
  seal(file);
  CHECK_OK(load_copy(file, &model));
  ModelView(file).tensors()[1].data_offset = 64;
  seal(file);
  CHECK(contains(load_copy(file, &model).message(), "'a' and 'b' overlap"));
}

void skips_what_is_optional() {
  std::vector<std::byte> file = small_model().build();
  const ModelView view(file);
  view.section(Kind::kAsset).optional = 1;
  view.section(Kind::kAsset).kind = 99;
  seal(file);
  std::shared_ptr<const Model> model;
  CHECK_OK(load_copy(file, &model));
  CHECK(model->assets().empty());
}

void refuses_every_prefix() {
  const std::vector<std::byte> file = small_model().build();
  std::shared_ptr<const Model> model;
  for (size_t length = 0; length < file.size(); ++length) {
    CHECK(!load_copy(std::span(file).first(length), &model).ok());
  }
}

}  // namespace
}  // namespace bitpose::test

int main() {
  using namespace bitpose::test;
  crc32_is_that_of_zlib();
  text_is_utf8();
  reads_what_the_file_says();
  maps_files();
  refuses_damage();
  constants_share_all_bytes_or_none();
  skips_what_is_optional();
  refuses_every_prefix();
}
