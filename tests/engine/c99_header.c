/* SPDX-License-Identifier: Apache-2.0 */
/* The C interface must be plain C99: this file only has to compile. */
#include "bitpose/bitpose.h"

bitpose_session_options bitpose_test_default_options(void) {
  const bitpose_session_options options = {sizeof(bitpose_session_options), NULL, 2, 0, 0, 0};
  return options;
}
