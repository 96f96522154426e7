/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BITPOSE_BITPOSE_H_
#define BITPOSE_BITPOSE_H_

#include <stddef.h>
#include <stdint.h>

/**
 * The C interface of bitpose: load a `.bpm` model, make a session, run it.
 *
 *   bitpose_error error;
 *   bitpose_model* model = NULL;
 *   bitpose_session* session = NULL;
 *   if (bitpose_model_load_file("net.bpm", &model, &error) != BITPOSE_OK) puts(error.message);
 *   if (bitpose_session_create(model, NULL, &session, &error) != BITPOSE_OK) puts(error.message);
 *   if (bitpose_session_run(session, inputs, 1, outputs, 1, &error) != BITPOSE_OK) ...
 *   bitpose_session_free(session);
 *   bitpose_model_free(model);
 *
 * Every call that can fail returns a status and, where `error` is not NULL, writes a message to it;
 * on success the message is empty. Nothing is kept in globals or thread-local storage. No C++
 * exception leaves the library, which never prints and never aborts.
 *
 * Different threads may use the same model and the same session at once; freeing is the exception.
 */

#if defined(BITPOSE_STATIC)
#define BITPOSE_API
#elif defined(__GNUC__)
#define BITPOSE_API __attribute__((visibility("default")))
#else
#define BITPOSE_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum bitpose_status {
  BITPOSE_OK = 0,
  BITPOSE_INVALID_ARGUMENT = 1, /**< A call that breaks its contract: wrong name, wrong size. */
  BITPOSE_INVALID_MODEL = 2,    /**< Bytes that are no valid model. */
  BITPOSE_UNSUPPORTED = 3,      /**< Valid, but not in this build, or beyond a limit. */
  BITPOSE_OUT_OF_MEMORY = 4,
  BITPOSE_IO_ERROR = 5
} bitpose_status;

/** What went wrong, where, and what would be right: UTF-8, ends with NUL, cut where too long. */
typedef struct bitpose_error {
  char message[512];
} bitpose_error;

/** Element types; the numbers are those of the model file. */
typedef enum bitpose_dtype {
  BITPOSE_FLOAT32 = 1,
  BITPOSE_INT8 = 2,
  BITPOSE_UINT8 = 3,
  BITPOSE_INT32 = 4,
  BITPOSE_INT64 = 5,
  BITPOSE_BOOL = 6, /**< A byte: 0 for false, 1 for true. */
  BITPOSE_INT16 = 7
} bitpose_dtype;

#define BITPOSE_MAX_RANK 6

typedef struct bitpose_model bitpose_model;
typedef struct bitpose_session bitpose_session;

/** "0.1.0". */
BITPOSE_API const char* bitpose_version(void);

/** "ok", "invalid argument", ...; never NULL. */
BITPOSE_API const char* bitpose_status_text(bitpose_status status);

/**
 * Maps the model file at `path` read-only and checks it completely. To replace a file that may be
 * in use, rename another one over it; never change or shorten it in place.
 */
BITPOSE_API bitpose_status bitpose_model_load_file(const char* path, bitpose_model** model,
                                                   bitpose_error* error);

/** Reads a model from a copy of `bytes` bytes at `data`. */
BITPOSE_API bitpose_status bitpose_model_load_copy(const void* data, size_t bytes,
                                                   bitpose_model** model, bitpose_error* error);

/**
 * The same without a copy: the bytes must stay, unchanged, until the model and all its sessions are
 * freed. Copies after all where `data` is not aligned to 64.
 */
BITPOSE_API bitpose_status bitpose_model_load_borrowed(const void* data, size_t bytes,
                                                       bitpose_model** model, bitpose_error* error);

/** Frees a model; its sessions may live on. NULL is ignored. */
BITPOSE_API void bitpose_model_free(bitpose_model* model);

/**
 * The text behind a metadata key, or NULL. Not NUL-terminated: `*bytes` is its length. Valid as
 * long as the model.
 */
BITPOSE_API const char* bitpose_model_metadata(const bitpose_model* model, const char* key,
                                               size_t* bytes);

/** The bytes of a named asset, or NULL. Valid as long as the model. */
BITPOSE_API const void* bitpose_model_asset(const bitpose_model* model, const char* name,
                                            size_t* bytes);

/** How to run a network. Zero in any member, and NULL for the struct, mean the default. */
typedef struct bitpose_session_options {
  size_t struct_bytes;         /**< sizeof(bitpose_session_options), for later versions. */
  const char* network;         /**< Its name; default the first one of the model. */
  size_t threads;              /**< Threads of each simultaneous run; default 1. */
  uint64_t max_arena_bytes;    /**< Refuse to use more for one run; default 1 GiB. */
  uint64_t max_constant_bytes; /**< Refuse to pack more weights; default 1 GiB. */
  uint64_t max_work;           /**< Refuse more MACs plus bytes moved in a run; default 2^42. */
} bitpose_session_options;

/** Prepares a network of the model for this CPU: packs weights and plans memory. */
BITPOSE_API bitpose_status bitpose_session_create(const bitpose_model* model,
                                                  const bitpose_session_options* options,
                                                  bitpose_session** session, bitpose_error* error);

/** Frees a session in which nothing runs. NULL is ignored. */
BITPOSE_API void bitpose_session_free(bitpose_session* session);

/** A graph input or output. */
typedef struct bitpose_tensor_info {
  const char* name; /**< Ends with NUL; valid as long as the session. */
  bitpose_dtype dtype;
  uint32_t rank;
  uint32_t shape[BITPOSE_MAX_RANK]; /**< Outermost extent first; pictures are NHWC. */
  float scale;                      /**< real = scale * (q - zero_point); 0: not quantized. */
  int32_t zero_point;
  uint64_t bytes;
} bitpose_tensor_info;

BITPOSE_API size_t bitpose_session_input_count(const bitpose_session* session);
BITPOSE_API size_t bitpose_session_output_count(const bitpose_session* session);

/** Fills `info`; BITPOSE_INVALID_ARGUMENT when there is no such input or output. */
BITPOSE_API bitpose_status bitpose_session_input(const bitpose_session* session, size_t index,
                                                 bitpose_tensor_info* info);
BITPOSE_API bitpose_status bitpose_session_output(const bitpose_session* session, size_t index,
                                                  bitpose_tensor_info* info);

/** Memory of the caller; `bytes` must be those of the tensor. */
typedef struct bitpose_input {
  const void* data;
  size_t bytes;
} bitpose_input;

/**
 * Memory of the caller for an output. Where a network decides in a run how much comes out (how many
 * boxes are left, say), bitpose_session_output gives the most, `bytes` must be enough for that, and
 * what came out stands at the start of `data`.
 */
typedef struct bitpose_output {
  void* data;
  size_t bytes;
  uint32_t shape[BITPOSE_MAX_RANK]; /**< Written by the run: the extents of what came out. */
} bitpose_output;

/**
 * Runs the network on its inputs and writes its outputs, in the order of the model. Simultaneous
 * calls do not wait for each other. Allocates only when more calls than ever before run at once.
 * The floating-point mode of the calling thread is set for the run and restored.
 */
BITPOSE_API bitpose_status bitpose_session_run(bitpose_session* session,
                                               const bitpose_input* inputs, size_t input_count,
                                               bitpose_output* outputs, size_t output_count,
                                               bitpose_error* error);

/** Bytes that a session takes. */
typedef struct bitpose_memory {
  uint64_t arena;       /**< Activations of one run. */
  uint64_t lower_bound; /**< The least that any plan of the arena could need. */
  uint64_t scratch;     /**< Workspace of one run. */
  uint64_t packed;      /**< Packed weights and tables, once. */
} bitpose_memory;

BITPOSE_API void bitpose_session_memory(const bitpose_session* session, bitpose_memory* memory);

#ifdef __cplusplus
}
#endif

#endif /* BITPOSE_BITPOSE_H_ */
