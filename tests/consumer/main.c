/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the first network of a model on inputs of zeros and prints the shapes of its tensors. */
#include <bitpose/bitpose.h>
#include <stdio.h>
#include <stdlib.h>

enum { kMaxTensors = 16 };

static int fail(bitpose_status status, const bitpose_error* error) {
  fprintf(stderr, "%s: %s\n", bitpose_status_text(status), error->message);
  return EXIT_FAILURE;
}

static void print_tensor(const char* role, const bitpose_tensor_info* info) {
  printf("%s %s: [", role, info->name);
  for (uint32_t axis = 0; axis < info->rank; ++axis) {
    printf("%s%u", axis == 0 ? "" : ",", (unsigned)info->shape[axis]);
  }
  printf("], %llu bytes\n", (unsigned long long)info->bytes);
}

static int run(bitpose_session* session) {
  bitpose_input inputs[kMaxTensors];
  bitpose_output outputs[kMaxTensors];
  const size_t input_count = bitpose_session_input_count(session);
  const size_t output_count = bitpose_session_output_count(session);
  bitpose_tensor_info info;
  bitpose_error error;
  if (input_count > kMaxTensors || output_count > kMaxTensors) return EXIT_FAILURE;

  for (size_t i = 0; i < input_count; ++i) {
    if (bitpose_session_input(session, i, &info) != BITPOSE_OK) return EXIT_FAILURE;
    print_tensor("input", &info);
    inputs[i].bytes = (size_t)info.bytes;
    inputs[i].data = calloc(1, inputs[i].bytes);
  }
  for (size_t i = 0; i < output_count; ++i) {
    if (bitpose_session_output(session, i, &info) != BITPOSE_OK) return EXIT_FAILURE;
    outputs[i].bytes = (size_t)info.bytes;
    outputs[i].data = calloc(1, outputs[i].bytes);
  }

  const bitpose_status status =
      bitpose_session_run(session, inputs, input_count, outputs, output_count, &error);
  for (size_t i = 0; i < output_count && status == BITPOSE_OK; ++i) {
    bitpose_session_output(session, i, &info);
    for (uint32_t axis = 0; axis < info.rank; ++axis) info.shape[axis] = outputs[i].shape[axis];
    print_tensor("output", &info);
  }
  for (size_t i = 0; i < input_count; ++i) free((void*)inputs[i].data);
  for (size_t i = 0; i < output_count; ++i) free(outputs[i].data);
  return status == BITPOSE_OK ? EXIT_SUCCESS : fail(status, &error);
}

int main(int argc, char** argv) {
  bitpose_error error;
  bitpose_model* model = NULL;
  bitpose_session* session = NULL;
  if (argc != 2) {
    fprintf(stderr, "usage: consumer MODEL.bpm (bitpose %s)\n", bitpose_version());
    return EXIT_FAILURE;
  }
  bitpose_status status = bitpose_model_load_file(argv[1], &model, &error);
  if (status == BITPOSE_OK) status = bitpose_session_create(model, NULL, &session, &error);
  const int result = status == BITPOSE_OK ? run(session) : fail(status, &error);
  bitpose_session_free(session);
  bitpose_model_free(model);
  return result;
}
