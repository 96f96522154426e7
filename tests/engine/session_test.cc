// SPDX-License-Identifier: Apache-2.0
#include "engine/runtime/session.h"

#include <cfenv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "engine/runtime/profiler.h"
#include "tests/support/check.h"
#include "tests/support/model_builder.h"

namespace bitpose::test {
namespace {

std::vector<uint8_t> plus(int amount) {
  std::vector<uint8_t> table(256);
  for (size_t i = 0; i < 256; ++i) table[i] = static_cast<uint8_t>(static_cast<int>(i) + amount);
  return table;
}

constexpr uint32_t kElements = 100000;

// x -> +1 -> reshape -> +2 -> y, with x + 1 an output too.
ModelBuilder counting_model() {
  ModelBuilder builder;
  const uint32_t x = builder.input("x", DType::kU8, {kElements});
  const uint32_t one = builder.constant("one", DType::kU8, {256}, plus(1));
  const uint32_t two = builder.constant("two", DType::kU8, {256}, plus(2));
  const uint32_t a = builder.derived("lut_x8", {x, one}, DType::kU8);
  const uint32_t b = builder.tensor("b", DType::kU8, {kElements / 10, 10});
  builder.op("reshape", {a}, {b});
  const uint32_t y = builder.derived("lut_x8", {b, two}, DType::kU8);
  builder.output(y);
  builder.output(a);
  return builder;
}

std::unique_ptr<Session> make_session(const ModelBuilder& builder,
                                      const SessionOptions& options = {}) {
  std::unique_ptr<Session> session;
  CHECK_OK(Session::create(builder.load(), options, &session));
  return session;
}

template <typename In, typename Out>
void run(Session* session, const std::vector<In>& input, std::vector<std::vector<Out>>* outputs,
         RunObserver* observer = nullptr) {
  std::vector<std::span<std::byte>> to;
  for (std::vector<Out>& output : *outputs) to.push_back(std::as_writable_bytes(std::span(output)));
  const std::span<const std::byte> from[] = {std::as_bytes(std::span(input))};
  CHECK_OK(session->run(from, to, {}, observer));
}

std::vector<uint8_t> codes(size_t count, size_t seed) {
  std::vector<uint8_t> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<uint8_t>(i * 7 + seed);
  return values;
}

void check_counting(Session* session, size_t seed, RunObserver* observer = nullptr) {
  const std::vector<uint8_t> x = codes(kElements, seed);
  std::vector<std::vector<uint8_t>> outputs(2, std::vector<uint8_t>(kElements));
  run(session, x, &outputs, observer);
  for (size_t i = 0; i < kElements; ++i) {
    CHECK(outputs[0][i] == static_cast<uint8_t>(x[i] + 3));
    CHECK(outputs[1][i] == static_cast<uint8_t>(x[i] + 1));
  }
}

void runs_with_any_number_of_threads() {
  for (const size_t threads : {0, 1, 2, 5}) {
    const auto session = make_session(counting_model(), {.threads = threads});
    CHECK(threads == 0 || session->threads() == threads);
    for (size_t seed = 0; seed < 3; ++seed) check_counting(session.get(), seed);
  }
}

void simultaneous_runs_have_their_own_memory() {
  const auto session = make_session(counting_model(), {.threads = 2});
  std::vector<std::thread> callers;
  for (size_t caller = 0; caller < 8; ++caller) {
    callers.emplace_back([&session, caller] {
      for (size_t seed = 0; seed < 20; ++seed) check_counting(session.get(), caller * 50 + seed);
    });
  }
  for (std::thread& caller : callers) caller.join();
}

class Recorder final : public RunObserver {
 public:
  void before(size_t op, std::span<const TensorRef> inputs) override {
    CHECK(op == outputs.size() && inputs[0].data != nullptr);
  }
  void after(size_t, std::span<const TensorRef> refs) override {
    outputs.push_back(refs[0]);
    first.push_back(*refs[0].as<uint8_t>());
  }
  std::vector<TensorRef> outputs;
  std::vector<uint8_t> first;
};

void observers_see_each_operator() {
  const auto session = make_session(counting_model());
  Recorder recorder;
  check_counting(session.get(), 5, &recorder);
  CHECK(recorder.first == std::vector<uint8_t>({6, 6, 8}));
  CHECK(session->operators() == 3 && session->operator_info(1).type == std::string("reshape"));

  const auto keeping = make_session(counting_model(), {.keep_tensors = true});
  Recorder keeper;
  check_counting(keeping.get(), 5, &keeper);
  CHECK(*keeper.outputs[0].as<uint8_t>() == 6 && *keeper.outputs[2].as<uint8_t>() == 8);
  CHECK(keeping->memory().arena >= 3 * kElements);
}

void profiler_names_operators() {
  const auto session = make_session(counting_model());
  Profiler profiler(*session);
  check_counting(session.get(), 1, &profiler);
  check_counting(session.get(), 2, &profiler);
  CHECK(contains(profiler.table(), "lut_x8") && contains(profiler.table(), "2 runs"));
  CHECK(contains(profiler.trace_json(), "\"traceEvents\""));
}

void plans_in_place_and_views() {
  ModelBuilder builder;
  uint32_t x = builder.input("x", DType::kU8, {kElements});
  const uint32_t one = builder.constant("one", DType::kU8, {256}, plus(1));
  for (int i = 0; i < 10; ++i) x = builder.derived("lut_x8", {x, one}, DType::kU8);
  builder.output(x);
  const auto session = make_session(builder);
  CHECK(session->memory().lower_bound == kElements);
  CHECK(session->memory().arena < kElements + 200);
  CHECK(session->memory().packed == 2560);
  std::vector<std::vector<uint8_t>> outputs(1, std::vector<uint8_t>(kElements));
  run(session.get(), codes(kElements, 0), &outputs);
  CHECK(outputs[0][1] == 17);
}

// The first elements of x + [1, 1, 1, 1], as many as n says; `repeated` adds [10, 20, 30, 40].
ModelBuilder narrowing_model(bool repeated) {
  ModelBuilder builder;
  const uint32_t n = builder.input("n", DType::kS64, {1});
  const uint32_t x = builder.constant("x", DType::kF32, {4}, std::vector<float>{1, 2, 3, 4});
  const uint32_t one = builder.constant("one", DType::kF32, {1}, std::vector<float>{1});
  const uint32_t tens =
      builder.constant("tens", DType::kF32, {4}, std::vector<float>{10, 20, 30, 40});
  const uint32_t narrow = builder.derived("narrow", {x, n}, DType::kF32, {}, {{"axis", 0}});
  const uint32_t sum = builder.derived("binary_f32", {narrow, one}, DType::kF32);
  builder.output(builder.derived("shape", {sum}, DType::kS64));
  builder.output(repeated ? builder.derived("binary_f32", {sum, tens}, DType::kF32) : sum);
  return builder;
}

void derives_shapes_in_a_run() {
  const auto session = make_session(narrowing_model(false), {.threads = 2});
  CHECK(session->outputs()[1].shape == Shape{4});
  for (const int64_t n : {4, 1, 0, 3, -5, 1000}) {
    const auto length = static_cast<uint32_t>(std::clamp<int64_t>(n, 0, 4));
    int64_t extent = -1;
    std::vector<float> y(4);
    const std::span<std::byte> to[] = {std::as_writable_bytes(std::span(&extent, 1)),
                                       std::as_writable_bytes(std::span(y))};
    const std::span<const std::byte> from[] = {std::as_bytes(std::span(&n, 1))};
    Shape shapes[2];
    CHECK_OK(session->run(from, to, shapes));
    CHECK(shapes[0] == Shape{1} && shapes[1] == Shape{length}, shapes[1].text());
    CHECK(extent == length);
    for (uint32_t i = 0; i < 4; ++i) CHECK(y[i] == (i < length ? static_cast<float>(i) + 2 : 0));
  }
}

// Each run has shapes of its own.
void simultaneous_runs_have_their_own_shapes() {
  const auto session = make_session(narrowing_model(false));
  std::vector<std::thread> callers;
  for (int64_t caller = 0; caller < 8; ++caller) {
    callers.emplace_back([&session, caller] {
      for (int64_t i = 0; i < 50; ++i) {
        const int64_t n = (caller + i) % 5;
        int64_t extent = -1;
        std::vector<float> y(4);
        const std::span<std::byte> to[] = {std::as_writable_bytes(std::span(&extent, 1)),
                                           std::as_writable_bytes(std::span(y))};
        const std::span<const std::byte> from[] = {std::as_bytes(std::span(&n, 1))};
        Shape shapes[2];
        CHECK_OK(session->run(from, to, shapes));
        CHECK(extent == n && shapes[1] == Shape{static_cast<uint32_t>(n)});
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
}

// One element that is repeated to four must not be overwritten by the first of them.
void repeats_what_turns_out_small() {
  const auto session = make_session(narrowing_model(true));
  for (const int64_t n : {4, 1, 3}) {
    int64_t extent = 0;
    std::vector<float> y(4);
    const std::span<std::byte> to[] = {std::as_writable_bytes(std::span(&extent, 1)),
                                       std::as_writable_bytes(std::span(y))};
    const std::span<const std::byte> from[] = {std::as_bytes(std::span(&n, 1))};
    const Status status = session->run(from, to);
    CHECK(status.ok() == (n != 3), status.message());
    if (n == 1) CHECK(y == std::vector<float>({12, 22, 32, 42}));
    if (n == 4) CHECK(y == std::vector<float>({12, 23, 34, 45}));
    if (n == 3)
      CHECK(contains(status.message(), "in this run: shapes [3] and [4]"), status.message());
  }
}

void refuses_wrong_buffers() {
  const auto session = make_session(counting_model());
  std::vector<uint8_t> x(kElements);
  const auto bytes = std::as_bytes(std::span(x));
  const auto out = std::as_writable_bytes(std::span(x));
  const std::vector<std::span<std::byte>> outputs = {out, out};
  const std::vector<std::span<const std::byte>> inputs = {bytes};
  const std::vector<std::span<const std::byte>> short_inputs = {bytes.first(10)};
  CHECK(contains(session->run({}, outputs).message(), "got 0 inputs"));
  const Status status = session->run(short_inputs, outputs);
  CHECK(status.code() == StatusCode::kInvalidArgument &&
        contains(status.message(), "input 'x' has 10 bytes, uint8 [100000] needs 100000"));
  CHECK(!session->run(inputs, std::span(outputs).first(1)).ok());
}

void refuses_what_is_beyond_a_limit() {
  const auto message = [](const SessionOptions& options) {
    std::unique_ptr<Session> session;
    const Status status = Session::create(counting_model().load(), options, &session);
    CHECK(!status.ok());
    return status.message();
  };
  CHECK(contains(message({.max_arena_bytes = 1000}), "max_arena_bytes is 1000"));
  CHECK(contains(message({.max_constant_bytes = 511}), "max_constant_bytes"));
  CHECK(contains(message({.max_work = 1000}), "max_work"));
  CHECK(contains(message({.network = "other"}), "no network 'other'; it has 'main'"));
  CHECK(contains(message({.threads = 100000}), "threads"));
}

void refuses_shapes_that_operators_do_not_derive() {
  ModelBuilder builder;
  const uint32_t x = builder.input("x", DType::kU8, {8});
  const uint32_t one = builder.constant("one", DType::kU8, {256}, plus(1));
  const uint32_t y = builder.tensor("y", DType::kU8, {9});
  builder.op("lut_x8", {x, one}, {y});
  builder.output(y);
  std::unique_ptr<Session> session;
  const Status status = Session::create(builder.load(), {}, &session);
  CHECK(contains(status.message(), "operator '0' (lut_x8): output 'y' has shape [9] in the model"),
        status.message());
}

void outputs_may_be_inputs_and_constants() {
  ModelBuilder builder;
  builder.output(builder.input("x", DType::kU8, {3}));
  builder.output(builder.constant("c", DType::kU8, {3}, std::vector<uint8_t>{7, 8, 9}));
  const auto session = make_session(builder);
  std::vector<std::vector<uint8_t>> outputs(2, std::vector<uint8_t>(3));
  run(session.get(), std::vector<uint8_t>{1, 2, 3}, &outputs);
  CHECK(outputs[0] == std::vector<uint8_t>({1, 2, 3}));
  CHECK(outputs[1] == std::vector<uint8_t>({7, 8, 9}));
}

void nans_have_one_form() {
  ModelBuilder builder;
  builder.output(builder.input("x", DType::kF32, {4}));
  const auto session = make_session(builder);
  const std::vector<uint32_t> x = {0xff800001u, 0x7fffffffu, 0x7f800000u, 0x80000001u};
  std::vector<std::vector<uint32_t>> outputs(1, std::vector<uint32_t>(4));
  run(session.get(), x, &outputs);
  CHECK(outputs[0] == std::vector<uint32_t>({0x7fc00000u, 0x7fc00000u, 0x7f800000u, 0x80000001u}));
}

// The caller's rounding mode neither reaches a run nor is changed by it.
void floating_point_mode_is_ours() {
  ModelBuilder builder;
  const uint32_t x = builder.input("x", DType::kF32, {20000});
  const uint32_t third = builder.constant("third", DType::kF32, {1}, std::vector<float>{3.0f});
  builder.output(builder.derived("binary_f32", {x, third}, DType::kF32, {}, {{"function", 3}}));
  const auto session = make_session(builder, {.threads = 3});
  const std::vector<float> ones(20000, 1.0f);
  std::vector<std::vector<float>> nearest(1, std::vector<float>(20000));
  std::vector<std::vector<float>> upward = nearest;
  run(session.get(), ones, &nearest);
  std::fesetround(FE_UPWARD);
  run(session.get(), ones, &upward);
  CHECK(std::fegetround() == FE_UPWARD);
  std::fesetround(FE_TONEAREST);
  CHECK(nearest == upward && nearest[0][0] == 1.0f / 3.0f);
}

}  // namespace
}  // namespace bitpose::test

int main() {
  using namespace bitpose::test;
  runs_with_any_number_of_threads();
  simultaneous_runs_have_their_own_memory();
  observers_see_each_operator();
  profiler_names_operators();
  plans_in_place_and_views();
  derives_shapes_in_a_run();
  simultaneous_runs_have_their_own_shapes();
  repeats_what_turns_out_small();
  refuses_wrong_buffers();
  refuses_what_is_beyond_a_limit();
  refuses_shapes_that_operators_do_not_derive();
  outputs_may_be_inputs_and_constants();
  nans_have_one_form();
  floating_point_mode_is_ours();
}
