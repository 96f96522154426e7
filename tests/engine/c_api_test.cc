// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "bitpose/bitpose.h"
#include "tests/support/check.h"
#include "tests/support/model_builder.h"

extern "C" bitpose_session_options bitpose_test_default_options(void);

namespace bitpose::test {
namespace {

std::vector<std::byte> file() {
  std::vector<uint8_t> table(256);
  for (size_t i = 0; i < 256; ++i) table[i] = static_cast<uint8_t>(255 - i);
  ModelBuilder builder;
  const uint32_t x = builder.input("pixels", DType::kU8, {2, 3}, {0.5f, 128});
  const uint32_t t = builder.constant("table", DType::kU8, {256}, table);
  builder.output(builder.derived("lut_x8", {x, t}, DType::kU8));
  builder.metadata("licence", "Apache-2.0");
  builder.asset("labels", std::vector<std::byte>(3, std::byte{'a'}));
  return builder.build();
}

bitpose_model* load() {
  const std::vector<std::byte> bytes = file();
  bitpose_model* model = nullptr;
  bitpose_error error;
  const bitpose_status status = bitpose_model_load_copy(bytes.data(), bytes.size(), &model, &error);
  CHECK(status == BITPOSE_OK && error.message[0] == '\0', error.message);
  return model;
}

void runs() {
  bitpose_model* model = load();
  bitpose_session* session = nullptr;
  bitpose_error error;
  const bitpose_session_options options = bitpose_test_default_options();
  CHECK(bitpose_session_create(model, &options, &session, &error) == BITPOSE_OK, error.message);
  bitpose_model_free(model);  // The session keeps what it needs.

  CHECK(bitpose_session_input_count(session) == 1 && bitpose_session_output_count(session) == 1);
  bitpose_tensor_info info;
  CHECK(bitpose_session_input(session, 0, &info) == BITPOSE_OK);
  CHECK(info.name == std::string("pixels") && info.dtype == BITPOSE_UINT8 && info.rank == 2 &&
        info.shape[1] == 3 && info.scale == 0.5f && info.zero_point == 128 && info.bytes == 6);
  CHECK(bitpose_session_output(session, 1, &info) == BITPOSE_INVALID_ARGUMENT);

  const uint8_t x[6] = {0, 1, 2, 3, 4, 255};
  uint8_t y[6] = {};
  const bitpose_input input = {x, sizeof(x)};
  bitpose_output output = {y, sizeof(y), {}};
  CHECK(bitpose_session_run(session, &input, 1, &output, 1, &error) == BITPOSE_OK);
  for (size_t i = 0; i < 6; ++i) CHECK(y[i] == 255 - x[i]);
  CHECK(output.shape[0] == 2 && output.shape[1] == 3 && output.shape[2] == 0);

  bitpose_output small = {y, 5, {}};
  CHECK(bitpose_session_run(session, &input, 1, &small, 1, &error) == BITPOSE_INVALID_ARGUMENT);
  CHECK(contains(error.message, "has 5 bytes"), error.message);
  CHECK(bitpose_session_run(session, &input, 1, &output, 2, nullptr) == BITPOSE_INVALID_ARGUMENT);

  bitpose_memory memory;
  bitpose_session_memory(session, &memory);
  CHECK(memory.arena >= 6 && memory.lower_bound == 6 && memory.packed == 256);
  bitpose_session_free(session);
}

void reads_metadata_and_assets() {
  bitpose_model* model = load();
  size_t bytes = 0;
  const char* licence = bitpose_model_metadata(model, "licence", &bytes);
  CHECK(licence != nullptr && std::string(licence, bytes) == "Apache-2.0");
  CHECK(bitpose_model_metadata(model, "other", &bytes) == nullptr);
  const void* labels = bitpose_model_asset(model, "labels", &bytes);
  CHECK(labels != nullptr && bytes == 3 && std::memcmp(labels, "aaa", 3) == 0);
  bitpose_model_free(model);
}

void borrows_aligned_bytes() {
  const std::vector<std::byte> bytes = file();
  std::vector<std::byte> room(bytes.size() + 64);
  std::byte* aligned = room.data() + (64 - reinterpret_cast<uintptr_t>(room.data()) % 64) % 64;
  std::memcpy(aligned, bytes.data(), bytes.size());
  bitpose_model* model = nullptr;
  CHECK(bitpose_model_load_borrowed(aligned, bytes.size(), &model, nullptr) == BITPOSE_OK);
  size_t length = 0;
  const auto* labels = static_cast<const std::byte*>(bitpose_model_asset(model, "labels", &length));
  CHECK(labels >= aligned && labels < aligned + bytes.size());
  bitpose_model_free(model);
}

void says_what_is_wrong() {
  bitpose_error error;
  bitpose_model* model = nullptr;
  CHECK(bitpose_model_load_file("/nowhere/net.bpm", &model, &error) == BITPOSE_IO_ERROR);
  CHECK(contains(error.message, "/nowhere/net.bpm") && model == nullptr);
  const std::string long_path(2000, 'p');
  CHECK(bitpose_model_load_file(long_path.c_str(), &model, &error) == BITPOSE_IO_ERROR);
  CHECK(std::strlen(error.message) == sizeof(error.message) - 1);
  CHECK(bitpose_model_load_copy("no model", 8, &model, &error) == BITPOSE_INVALID_MODEL);
  CHECK(bitpose_model_load_copy(nullptr, 8, &model, &error) == BITPOSE_INVALID_ARGUMENT);
  CHECK(bitpose_model_load_file("x", nullptr, nullptr) == BITPOSE_INVALID_ARGUMENT);

  model = load();
  bitpose_session* session = nullptr;
  bitpose_session_options options = {};
  CHECK(bitpose_session_create(model, &options, &session, &error) == BITPOSE_INVALID_ARGUMENT);
  CHECK(contains(error.message, "struct_bytes"));
  options.struct_bytes = sizeof(options);
  options.max_arena_bytes = 1;
  CHECK(bitpose_session_create(model, &options, &session, &error) == BITPOSE_UNSUPPORTED);
  CHECK(contains(error.message, "max_arena_bytes") && session == nullptr);
  bitpose_model_free(model);
  bitpose_model_free(nullptr);
  bitpose_session_free(nullptr);
  CHECK(bitpose_session_run(nullptr, nullptr, 0, nullptr, 0, &error) == BITPOSE_INVALID_ARGUMENT);
  CHECK(bitpose_status_text(BITPOSE_OUT_OF_MEMORY) == std::string("out of memory"));
}

// Sanitizers end the program where an allocation fails.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void memory_may_run_out() {
  ModelBuilder builder;
  for (int i = 0; i < 1000; ++i) {
    builder.output(builder.input(std::to_string(i), DType::kS64, {1u << 31}));
  }
  const std::vector<std::byte> bytes = builder.build();
  bitpose_model* model = nullptr;
  bitpose_session* session = nullptr;
  bitpose_error error;
  CHECK(bitpose_model_load_copy(bytes.data(), bytes.size(), &model, &error) == BITPOSE_OK);
  bitpose_session_options options = {};
  options.struct_bytes = sizeof(options);
  options.max_arena_bytes = UINT64_MAX;
  CHECK(bitpose_session_create(model, &options, &session, &error) == BITPOSE_OUT_OF_MEMORY,
        error.message);
  CHECK(session == nullptr && error.message == std::string("no memory left"));
  bitpose_model_free(model);
}
#else
void memory_may_run_out() {}
#endif

}  // namespace
}  // namespace bitpose::test

int main() {
  using namespace bitpose::test;
  memory_may_run_out();
  runs();
  reads_metadata_and_assets();
  borrows_aligned_bytes();
  says_what_is_wrong();
  CHECK(bitpose_version() != nullptr);
}
