// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/model/model.h"
#include "engine/runtime/profiler.h"
#include "engine/runtime/session.h"
#include "engine/tools/sha256.h"
#include "kernels/base/random.h"

namespace bitpose {
namespace {

constexpr const char* kUsage =
    R"(usage: bitpose-run MODEL.bpm [options]
  --network NAME        run this network (default: the first)
  --input NAME=FILE     raw little-endian elements of a graph input
  --output NAME=FILE    write a graph output as raw little-endian elements
  --seed N              fill the other inputs from this seed (default 0)
  --range LOW,HIGH      range of float32 inputs from the seed (default -1,1)
  --threads N           threads (default 1, 0: all CPUs)
  --repeat N            runs (default 1)
  --profile             print the time of each operator
  --trace FILE          write the runs in Chrome's trace format
  --hash                print nothing but the SHA-256 of all outputs, one after the other

Inputs from a seed: one SplitMix64 generator that starts at the seed serves all inputs in their
order, and each element takes one 64-bit number n: float32 LOW + (HIGH - LOW) * (n >> 40) * 2^-24,
uint8 and int8 the bits of n >> 56, int16 those of n >> 48, int32 and int64 n >> 56, bool n >> 63.
)";

struct Options {
  std::string model, network, trace;
  std::vector<std::pair<std::string, std::string>> inputs, outputs;  // Name, file.
  uint64_t seed = 0;
  float low = -1;
  float high = 1;
  size_t threads = 1;
  size_t repeat = 1;
  bool profile = false;
  bool hash = false;
};

using Bytes = std::vector<std::byte>;

template <typename T>
void store(T value, size_t index, Bytes* bytes) {
  std::memcpy(bytes->data() + index * sizeof(T), &value, sizeof(T));
}

void fill(const TensorDesc& tensor, const Options& options, Random* random, Bytes* bytes) {
  for (size_t i = 0; i < tensor.shape.elements(); ++i) {
    switch (tensor.dtype) {
      case DType::kF32:
        store(random->real(options.low, options.high), i, bytes);
        break;
      case DType::kS8:
      case DType::kU8:
        store(static_cast<uint8_t>(random->next() >> 56), i, bytes);
        break;
      case DType::kS16:
        store(static_cast<int16_t>(random->next() >> 48), i, bytes);
        break;
      case DType::kS32:
        store(static_cast<int32_t>(random->next() >> 56), i, bytes);
        break;
      case DType::kS64:
        store(static_cast<int64_t>(random->next() >> 56), i, bytes);
        break;
      case DType::kBool:
        store(static_cast<uint8_t>(random->next() >> 63), i, bytes);
        break;
      case DType::kF16:
        break;  // No graph input.
    }
  }
}

const std::string* find_file(const std::vector<std::pair<std::string, std::string>>& files,
                             std::string_view name) {
  for (const auto& [tensor, file] : files) {
    if (tensor == name) return &file;
  }
  return nullptr;
}

Status check_names(const std::vector<std::pair<std::string, std::string>>& files,
                   std::span<const TensorDesc> tensors, const char* what) {
  for (const auto& [name, file] : files) {
    const bool known = std::any_of(tensors.begin(), tensors.end(),
                                   [&](const TensorDesc& tensor) { return tensor.name == name; });
    if (!known)
      return invalid_argument(std::string("no graph ") + what + " is named '" + name + "'");
  }
  return {};
}

Status read_file(const std::string& path, Bytes* bytes) {
  std::ifstream file(path, std::ios::binary);
  std::vector<char> content{std::istreambuf_iterator<char>(file), {}};
  if (!file.good() && !file.eof()) return {StatusCode::kIoError, path + ": cannot be read"};
  if (content.size() != bytes->size()) {
    return invalid_argument(path + ": has " + std::to_string(content.size()) +
                            " bytes, the input needs " + std::to_string(bytes->size()));
  }
  std::memcpy(bytes->data(), content.data(), content.size());
  return {};
}

Status write_file(const std::string& path, std::string_view bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.flush();
  return file.good() ? Status() : Status(StatusCode::kIoError, path + ": cannot be written");
}

Status make_inputs(const Options& options, const Session& session, std::vector<Bytes>* inputs) {
  Random random(options.seed);
  for (const TensorDesc& tensor : session.inputs()) {
    Bytes& bytes = inputs->emplace_back(tensor.bytes());
    fill(tensor, options, &random, &bytes);
    const std::string* file = find_file(options.inputs, tensor.name);
    if (file == nullptr) continue;
    Status status = read_file(*file, &bytes);
    if (!status.ok()) return status;
  }
  return {};
}

void print_tensors(const char* what, std::span<const TensorDesc> tensors) {
  for (const TensorDesc& tensor : tensors) {
    std::printf("%s  %s %s  %.*s\n", what, dtype_name(tensor.dtype), tensor.shape.text().c_str(),
                static_cast<int>(tensor.name.size()), tensor.name.data());
  }
}

void print_summary(const Session& session, std::vector<double> milliseconds) {
  print_tensors("input ", session.inputs());
  print_tensors("output", session.outputs());
  const MemoryUse memory = session.memory();
  const auto number = [](uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf("arena %llu bytes (lower bound %llu), scratch %llu, packed weights %llu\n",
              number(memory.arena), number(memory.lower_bound), number(memory.scratch),
              number(memory.packed));
  std::sort(milliseconds.begin(), milliseconds.end());
  std::printf("%zu runs with %zu threads: best %.3f ms, median %.3f ms\n", milliseconds.size(),
              session.threads(), milliseconds.front(), milliseconds[milliseconds.size() / 2]);
}

Status run_model(const Options& options, Session* session, RunObserver* observer,
                 std::vector<Bytes>* outputs, std::vector<double>* milliseconds) {
  std::vector<Bytes> inputs;
  Status status = make_inputs(options, *session, &inputs);
  if (!status.ok()) return status;
  const std::vector<std::span<const std::byte>> from(inputs.begin(), inputs.end());
  for (const TensorDesc& tensor : session->outputs()) outputs->emplace_back(tensor.bytes());
  const std::vector<std::span<std::byte>> to(outputs->begin(), outputs->end());
  std::vector<Shape> shapes(outputs->size());
  for (size_t i = 0; i < std::max<size_t>(1, options.repeat); ++i) {
    const auto start = std::chrono::steady_clock::now();
    status = session->run(from, to, shapes, observer);
    if (!status.ok()) return status;
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    milliseconds->push_back(took.count());
  }
  for (size_t i = 0; i < shapes.size(); ++i) {
    (*outputs)[i].resize(shapes[i].elements() * dtype_bytes(session->outputs()[i].dtype));
  }
  return {};
}

Status report(const Options& options, const Session& session, const Profiler& profiler,
              const std::vector<Bytes>& outputs, const std::vector<double>& milliseconds) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string* file = find_file(options.outputs, session.outputs()[i].name);
    if (file == nullptr) continue;
    Status status =
        write_file(*file, {reinterpret_cast<const char*>(outputs[i].data()), outputs[i].size()});
    if (!status.ok()) return status;
  }
  if (!options.trace.empty()) {
    Status status = write_file(options.trace, profiler.trace_json());
    if (!status.ok()) return status;
  }
  if (!options.hash) print_summary(session, milliseconds);
  if (options.profile) std::printf("%s", profiler.table().c_str());
  if (options.hash) {
    Sha256 hash;
    for (const Bytes& bytes : outputs) hash.update(bytes);
    std::printf("sha256 %s\n", hash.hex().c_str());
  }
  return {};
}

Status run(const Options& options) {
  std::shared_ptr<const Model> model;
  Status status = Model::load(options.model, &model);
  if (!status.ok()) return status;
  std::unique_ptr<Session> session;
  status =
      Session::create(model, {.network = options.network, .threads = options.threads}, &session);
  if (status.ok()) status = check_names(options.inputs, session->inputs(), "input");
  if (status.ok()) status = check_names(options.outputs, session->outputs(), "output");
  if (!status.ok()) return status;
  Profiler profiler(*session);
  const bool observe = options.profile || !options.trace.empty();
  std::vector<Bytes> outputs;
  std::vector<double> milliseconds;
  status =
      run_model(options, session.get(), observe ? &profiler : nullptr, &outputs, &milliseconds);
  if (!status.ok()) return status;
  return report(options, *session, profiler, outputs, milliseconds);
}

bool split(const std::string& text, char separator, std::string* before, std::string* after) {
  const size_t position = text.find(separator);
  if (position == std::string::npos) return false;
  *before = text.substr(0, position);
  *after = text.substr(position + 1);
  return true;
}

bool parse_range(const std::string& text, Options* options) {
  std::string low, high;
  if (!split(text, ',', &low, &high)) return false;
  options->low = std::strtof(low.c_str(), nullptr);
  options->high = std::strtof(high.c_str(), nullptr);
  return true;
}

bool parse_value(const std::string& name, const std::string& value, Options* options) {
  std::pair<std::string, std::string> file;
  if (name == "--input" || name == "--output") {
    if (!split(value, '=', &file.first, &file.second)) return false;
    (name == "--input" ? options->inputs : options->outputs).push_back(file);
    return true;
  }
  if (name == "--range") return parse_range(value, options);
  if (name == "--network") return options->network = value, true;
  if (name == "--trace") return options->trace = value, true;
  const uint64_t number = std::strtoull(value.c_str(), nullptr, 10);
  if (name == "--seed") return options->seed = number, true;
  if (name == "--threads") return options->threads = number, true;
  if (name == "--repeat") return options->repeat = number, true;
  return false;
}

bool parse(int argc, char** argv, Options* options) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--profile") {
      options->profile = true;
    } else if (argument == "--hash") {
      options->hash = true;
    } else if (!argument.starts_with("--")) {
      if (!options->model.empty()) return false;
      options->model = argument;
    } else if (i + 1 == argc || !parse_value(argument, argv[++i], options)) {
      return false;
    }
  }
  return !options->model.empty();
}

}  // namespace
}  // namespace bitpose

int main(int argc, char** argv) {
  bitpose::Options options;
  if (!bitpose::parse(argc, argv, &options)) {
    std::fputs(bitpose::kUsage, stderr);
    return 2;
  }
  const bitpose::Status status = bitpose::run(options);
  if (status.ok()) return 0;
  std::fprintf(stderr, "bitpose-run: %s\n", status.message().c_str());
  return 1;
}
