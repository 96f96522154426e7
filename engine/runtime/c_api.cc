// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <system_error>
#include <vector>

#include "bitpose/bitpose.h"
#include "engine/model/model.h"
#include "engine/runtime/session.h"

#ifndef BITPOSE_VERSION
#error "the build defines BITPOSE_VERSION"
#endif

using bitpose::Model;
using bitpose::ModelBytes;
using bitpose::Session;
using bitpose::SessionOptions;
using bitpose::Shape;
using bitpose::Status;
using bitpose::StatusCode;
using bitpose::TensorDesc;

static_assert(BITPOSE_MAX_RANK == bitpose::kMaxRank);
static_assert(BITPOSE_IO_ERROR == static_cast<int>(StatusCode::kIoError));
static_assert(BITPOSE_BOOL == static_cast<int>(bitpose::DType::kBool));
static_assert(BITPOSE_INT16 == static_cast<int>(bitpose::DType::kS16));

struct bitpose_model {
  std::shared_ptr<const Model> model;
};

struct bitpose_session {
  std::unique_ptr<Session> session;
  std::vector<std::string> input_names, output_names;
};

namespace {

// Graph inputs and outputs up to this number are passed on without an allocation.
constexpr size_t kFewBuffers = 16;

void write_message(bitpose_error* error, const char* text) {
  if (error == nullptr) return;
  size_t length = std::min(std::strlen(text), sizeof(error->message) - 1);
  // A message is cut between characters.
  if (text[length] != '\0') {
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) --length;
  }
  std::memcpy(error->message, text, length);
  error->message[length] = '\0';
}

// Runs `body`, which returns a Status, and turns what the standard library throws into one.
template <typename Body>
bitpose_status guarded(bitpose_error* error, const Body& body) noexcept {
  try {
    const Status status = body();
    write_message(error, status.message().c_str());
    return static_cast<bitpose_status>(status.code());
  } catch (const std::bad_alloc&) {
    write_message(error, "no memory left");
    return BITPOSE_OUT_OF_MEMORY;
  } catch (const std::exception& exception) {
    write_message(error, exception.what());
    return BITPOSE_OUT_OF_MEMORY;
  } catch (...) {
    write_message(error, "unknown failure");
    return BITPOSE_OUT_OF_MEMORY;
  }
}

Status null_argument(const char* name) {
  return bitpose::invalid_argument(std::string(name) + " is NULL");
}

Status check_count(const char* what, size_t got, size_t expected) {
  if (got == expected) return {};
  return bitpose::invalid_argument("got " + std::to_string(got) + " " + what +
                                   ", the network has " + std::to_string(expected));
}

template <typename Load>
bitpose_status load_model(bitpose_model** model, bitpose_error* error, const Load& load) {
  return guarded(error, [&]() -> Status {
    if (model == nullptr) return null_argument("model");
    *model = nullptr;
    auto made = std::make_unique<bitpose_model>();
    Status status = load(&made->model);
    if (status.ok()) *model = made.release();
    return status;
  });
}

template <typename Read>
bitpose_status load_bytes(const void* data, size_t bytes, bitpose_model** model,
                          bitpose_error* error, const Read& read) {
  return load_model(model, error, [&](std::shared_ptr<const Model>* loaded) -> Status {
    if (data == nullptr) return null_argument("data");
    ModelBytes model_bytes;
    Status status = read({static_cast<const std::byte*>(data), bytes}, &model_bytes);
    return status.ok() ? Model::load(std::move(model_bytes), loaded) : status;
  });
}

Status read_options(const bitpose_session_options* given, SessionOptions* options) {
  if (given == nullptr) return {};
  if (given->struct_bytes != sizeof(*given)) {
    return bitpose::invalid_argument("options.struct_bytes is " +
                                     std::to_string(given->struct_bytes) + ", expected " +
                                     std::to_string(sizeof(*given)) + " (sizeof of the struct)");
  }
  if (given->network != nullptr) options->network = given->network;
  if (given->threads != 0) options->threads = given->threads;
  if (given->max_arena_bytes != 0) options->max_arena_bytes = given->max_arena_bytes;
  if (given->max_constant_bytes != 0) options->max_constant_bytes = given->max_constant_bytes;
  if (given->max_work != 0) options->max_work = given->max_work;
  return {};
}

std::vector<std::string> names(std::span<const TensorDesc> tensors) {
  std::vector<std::string> list;
  for (const TensorDesc& tensor : tensors) list.emplace_back(tensor.name);
  return list;
}

bitpose_status fill_info(std::span<const TensorDesc> tensors,
                         const std::vector<std::string>& tensor_names, size_t index,
                         bitpose_tensor_info* info) {
  if (info == nullptr || index >= tensors.size()) return BITPOSE_INVALID_ARGUMENT;
  const TensorDesc& tensor = tensors[index];
  *info = {};
  info->name = tensor_names[index].c_str();
  info->dtype = static_cast<bitpose_dtype>(tensor.dtype);
  info->rank = tensor.shape.rank;
  std::copy_n(tensor.shape.dims.begin(), bitpose::kMaxRank, info->shape);
  info->scale = tensor.scale;
  info->zero_point = tensor.zero_point;
  info->bytes = tensor.bytes();
  return BITPOSE_OK;
}

// One item for each graph input or output: on the stack when they are few.
template <typename Item>
class Few {
 public:
  explicit Few(size_t count) : count_(count), many_(count > kFewBuffers ? count : 0) {}
  std::span<Item> all() { return {many_.empty() ? few_ : many_.data(), count_}; }

 private:
  size_t count_;
  Item few_[kFewBuffers];
  std::vector<Item> many_;
};

template <typename Byte, typename Buffer>
std::span<Byte> bytes_of(const Buffer& buffer) {
  return {static_cast<Byte*>(buffer.data), buffer.bytes};
}

}  // namespace

extern "C" {

const char* bitpose_version(void) { return BITPOSE_VERSION; }

const char* bitpose_status_text(bitpose_status status) {
  switch (status) {
    case BITPOSE_OK:
      return "ok";
    case BITPOSE_INVALID_ARGUMENT:
      return "invalid argument";
    case BITPOSE_INVALID_MODEL:
      return "invalid model";
    case BITPOSE_UNSUPPORTED:
      return "unsupported";
    case BITPOSE_OUT_OF_MEMORY:
      return "out of memory";
    case BITPOSE_IO_ERROR:
      return "input or output error";
  }
  return "unknown status";
}

bitpose_status bitpose_model_load_file(const char* path, bitpose_model** model,
                                       bitpose_error* error) {
  return load_model(model, error, [&](std::shared_ptr<const Model>* loaded) {
    return path == nullptr ? null_argument("path") : Model::load(path, loaded);
  });
}

bitpose_status bitpose_model_load_copy(const void* data, size_t bytes, bitpose_model** model,
                                       bitpose_error* error) {
  return load_bytes(data, bytes, model, error, ModelBytes::copy);
}

bitpose_status bitpose_model_load_borrowed(const void* data, size_t bytes, bitpose_model** model,
                                           bitpose_error* error) {
  return load_bytes(data, bytes, model, error, ModelBytes::borrow);
}

void bitpose_model_free(bitpose_model* model) { delete model; }

const char* bitpose_model_metadata(const bitpose_model* model, const char* key, size_t* bytes) {
  if (model == nullptr || key == nullptr || bytes == nullptr) return nullptr;
  for (const bitpose::MetadataEntry& entry : model->model->metadata()) {
    if (entry.key != key) continue;
    *bytes = entry.value.size();
    return entry.value.data();
  }
  return nullptr;
}

const void* bitpose_model_asset(const bitpose_model* model, const char* name, size_t* bytes) {
  if (model == nullptr || name == nullptr || bytes == nullptr) return nullptr;
  for (const bitpose::Asset& asset : model->model->assets()) {
    if (asset.name != name) continue;
    *bytes = asset.bytes.size();
    return asset.bytes.data();
  }
  return nullptr;
}

bitpose_status bitpose_session_create(const bitpose_model* model,
                                      const bitpose_session_options* options,
                                      bitpose_session** session, bitpose_error* error) {
  return guarded(error, [&]() -> Status {
    if (session == nullptr) return null_argument("session");
    *session = nullptr;
    if (model == nullptr) return null_argument("model");
    SessionOptions read;
    Status status = read_options(options, &read);
    if (!status.ok()) return status;
    auto made = std::make_unique<bitpose_session>();
    status = Session::create(model->model, read, &made->session);
    if (!status.ok()) return status;
    made->input_names = names(made->session->inputs());
    made->output_names = names(made->session->outputs());
    *session = made.release();
    return {};
  });
}

void bitpose_session_free(bitpose_session* session) { delete session; }

size_t bitpose_session_input_count(const bitpose_session* session) {
  return session == nullptr ? 0 : session->session->inputs().size();
}

size_t bitpose_session_output_count(const bitpose_session* session) {
  return session == nullptr ? 0 : session->session->outputs().size();
}

bitpose_status bitpose_session_input(const bitpose_session* session, size_t index,
                                     bitpose_tensor_info* info) {
  if (session == nullptr) return BITPOSE_INVALID_ARGUMENT;
  return fill_info(session->session->inputs(), session->input_names, index, info);
}

bitpose_status bitpose_session_output(const bitpose_session* session, size_t index,
                                      bitpose_tensor_info* info) {
  if (session == nullptr) return BITPOSE_INVALID_ARGUMENT;
  return fill_info(session->session->outputs(), session->output_names, index, info);
}

bitpose_status bitpose_session_run(bitpose_session* session, const bitpose_input* inputs,
                                   size_t input_count, bitpose_output* outputs, size_t output_count,
                                   bitpose_error* error) {
  return guarded(error, [&]() -> Status {
    if (session == nullptr) return null_argument("session");
    if (inputs == nullptr && input_count > 0) return null_argument("inputs");
    if (outputs == nullptr && output_count > 0) return null_argument("outputs");
    Status status = check_count("inputs", input_count, session->session->inputs().size());
    if (status.ok()) {
      status = check_count("outputs", output_count, session->session->outputs().size());
    }
    if (!status.ok()) return status;
    Few<std::span<const std::byte>> from(input_count);
    Few<std::span<std::byte>> to(output_count);
    Few<Shape> shapes(output_count);
    for (size_t i = 0; i < input_count; ++i) from.all()[i] = bytes_of<const std::byte>(inputs[i]);
    for (size_t i = 0; i < output_count; ++i) to.all()[i] = bytes_of<std::byte>(outputs[i]);
    status = session->session->run(from.all(), to.all(), shapes.all());
    for (size_t i = 0; i < output_count; ++i) {
      std::copy_n(shapes.all()[i].dims.begin(), bitpose::kMaxRank, outputs[i].shape);
    }
    return status;
  });
}

void bitpose_session_memory(const bitpose_session* session, bitpose_memory* memory) {
  if (session == nullptr || memory == nullptr) return;
  const bitpose::MemoryUse use = session->session->memory();
  *memory = {use.arena, use.lower_bound, use.scratch, use.packed};
}

}  // extern "C"
