// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "engine/runtime/session.h"
#include "engine/tools/sha256.h"
#include "kernels/base/random.h"
#include "tests/support/check.h"
#include "tests/support/random_network.h"

// run_tool_test COMMAND...: how bitpose-run is started here.

namespace bitpose::test {
namespace {

std::string output_of(const std::string& command) {
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  CHECK(pipe != nullptr, command);
  std::string text;
  char buffer[256];
  while (std::fgets(buffer, sizeof(buffer), pipe) != nullptr) text += buffer;
  pclose(pipe);
  return text;
}

std::string sha256(const std::string& text) {
  Sha256 hash;
  hash.update(std::as_bytes(std::span(text)));
  return hash.hex();
}

// FIPS 180-4's examples.
void sha256_is_the_standard() {
  CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256(std::string(1000000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// The documented filling of inputs from a seed, and the hash of the outputs. Empty where an
// operator refuses a shape that came out in the run, as operators drawn at random may.
std::string expected_hash(const ModelBuilder& builder, uint64_t seed) {
  std::unique_ptr<Session> session;
  CHECK_OK(Session::create(builder.load(), {}, &session));
  uint64_t state = seed;
  std::vector<std::vector<std::byte>> inputs, outputs;
  for (const TensorDesc& tensor : session->inputs()) {
    std::vector<std::byte>& bytes = inputs.emplace_back(tensor.bytes());
    for (size_t i = 0; i < tensor.shape.elements(); ++i) {
      const uint64_t n = Random(state).next();
      state += 0x9e3779b97f4a7c15u;
      const float real = -1.0f + 2.0f * static_cast<float>(n >> 40) * 0x1p-24f;
      const bool is_wide = tensor.dtype == DType::kS16;
      const uint64_t whole = tensor.dtype == DType::kBool ? n >> 63 : n >> (is_wide ? 48 : 56);
      const void* from = tensor.dtype == DType::kF32 ? static_cast<const void*>(&real) : &whole;
      std::memcpy(bytes.data() + i * dtype_bytes(tensor.dtype), from, dtype_bytes(tensor.dtype));
    }
  }
  for (const TensorDesc& tensor : session->outputs()) outputs.emplace_back(tensor.bytes());
  const std::vector<std::span<const std::byte>> from(inputs.begin(), inputs.end());
  const std::vector<std::span<std::byte>> to(outputs.begin(), outputs.end());
  std::vector<Shape> shapes(to.size());
  const Status status = session->run(from, to, shapes);
  if (contains(status.message(), "in this run")) return {};
  CHECK_OK(status);
  Sha256 hash;
  for (size_t i = 0; i < to.size(); ++i) {
    const DType dtype = session->outputs()[i].dtype;
    hash.update(std::span(outputs[i]).first(shapes[i].elements() * dtype_bytes(dtype)));
  }
  return "sha256 " + hash.hex() + "\n";
}

void runs_models(const std::string& command) {
  const std::string path = "run_tool_test." + std::to_string(getpid());
  const std::string model = path + ".bpm";
  const std::string trace = path + ".json";
  int networks = 0;
  for (uint64_t seed = 1; networks < 3; ++seed) {
    const ModelBuilder builder = random_network(seed, 30);
    const std::vector<std::byte> file = builder.build();
    std::ofstream(model, std::ios::binary)
        .write(reinterpret_cast<const char*>(file.data()),
               static_cast<std::streamsize>(file.size()));
    const std::string run = command + " " + model + " --seed " + std::to_string(seed);
    const std::string expected = expected_hash(builder, seed);
    if (expected.empty()) continue;
    ++networks;
    for (const char* how : {" --hash", " --hash --threads 3 --repeat 5"}) {
      const std::string got = output_of(run + how);
      CHECK(got == expected, run + how + ": " + got);
    }
    const std::string profile = output_of(run + " --profile --trace " + trace);
    CHECK(contains(profile, "arena") && contains(profile, "operators,"), profile);
  }
  CHECK(contains(output_of(command + " " + model + " --input nothing=file"),
                 "no graph input is named 'nothing'"));
  CHECK(contains(output_of(command + " " + trace), "is not a bitpose model"));
  CHECK(contains(output_of(command), "usage"));
  std::remove(model.c_str());
  std::remove(trace.c_str());
}

}  // namespace
}  // namespace bitpose::test

int main(int argc, char** argv) {
  std::string command;
  for (int i = 1; i < argc; ++i) command += std::string(i > 1 ? " " : "") + argv[i];
  bitpose::test::sha256_is_the_standard();
  bitpose::test::runs_models(command);
}
