// SPDX-License-Identifier: Apache-2.0
#include "engine/plan/plan.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/base/overread.h"
#include "kernels/base/random.h"
#include "tests/support/check.h"

namespace bitpose::test {
namespace {

struct Op {
  std::vector<uint32_t> inputs, outputs;
  int in_place_input = -1;
  bool is_view = false;
};

struct Graph {
  std::vector<uint64_t> bytes;
  std::vector<uint32_t> inputs, outputs;
  std::vector<Op> ops;
  bool keep_tensors = false;
};

template <typename F>
auto with_request(const Graph& graph, const F& function) {
  std::vector<PlanOperator> operators;
  for (const Op& op : graph.ops) {
    operators.push_back({op.inputs, op.outputs, op.in_place_input, op.is_view});
  }
  return function(
      PlanRequest{graph.bytes, graph.inputs, graph.outputs, operators, graph.keep_tensors});
}

Plan plan(const Graph& graph) { return with_request(graph, make_plan); }
Liveness liveness(const Graph& graph) { return with_request(graph, analyse_liveness); }

bool share(const Liveness& live, uint32_t a, uint32_t b) {
  return live.buffer_of[a] == live.buffer_of[b];
}

// No two buffers that are live in one step overlap, all are aligned, and the arena holds them.
void check_plan(const Graph& graph) {
  const Plan made = plan(graph);
  const Liveness live = liveness(graph);
  for (size_t a = 0; a < graph.bytes.size(); ++a) {
    if (graph.bytes[a] == 0) {
      CHECK(made.offsets[a] == Plan::kNoOffset);
      continue;
    }
    CHECK(made.offsets[a] % kAlignment == 0);
    CHECK(made.offsets[a] + graph.bytes[a] + kOverread <= made.arena_bytes);
    for (size_t b = 0; b < a; ++b) {
      if (graph.bytes[b] == 0 || live.buffer_of[a] == live.buffer_of[b]) continue;
      const Buffer& x = live.buffers[live.buffer_of[a]];
      const Buffer& y = live.buffers[live.buffer_of[b]];
      const bool together = x.first <= y.last && y.first <= x.last;
      const bool overlap = made.offsets[a] < made.offsets[b] + graph.bytes[b] &&
                           made.offsets[b] < made.offsets[a] + graph.bytes[a];
      CHECK(!(together && overlap), std::to_string(a) + " " + std::to_string(b));
    }
  }
  CHECK(made.lower_bound <= made.arena_bytes);
}

// x -> 1 -> 2 -> 3: two tensors are live at a time.
void chain_needs_two_neighbours() {
  const Graph graph{{640, 1280, 640, 64}, {0}, {3}, {{{0}, {1}}, {{1}, {2}}, {{2}, {3}}}};
  const Liveness live = liveness(graph);
  CHECK(live.buffers.size() == 4);
  CHECK(live.buffers[0].first == 0 && live.buffers[0].last == 1);
  CHECK(live.buffers[3].first == 3 && live.buffers[3].last == 4);
  const Plan made = plan(graph);
  CHECK(made.lower_bound == 1920);
  CHECK(made.arena_bytes == 1920 + kOverread);
  check_plan(graph);
}

// A skip connection keeps its tensor for the addition at its end.
void residual_stays() {
  const Graph graph{{64, 640, 64, 64}, {0}, {3}, {{{0}, {1}}, {{1}, {2}}, {{0, 2}, {3}}}};
  CHECK(liveness(graph).buffers[0].last == 3);
  CHECK(plan(graph).lower_bound == 768);
  check_plan(graph);
}

void in_place_where_the_input_dies() {
  Graph graph{{64, 64, 64}, {0}, {2}, {{{0}, {1}, 0}, {{1}, {2}, 0}}};
  Liveness live = liveness(graph);
  CHECK(live.buffers.size() == 1 && share(live, 0, 1) && share(live, 1, 2));
  CHECK(plan(graph).lower_bound == 64);
  check_plan(graph);

  graph.keep_tensors = true;
  CHECK(liveness(graph).buffers.size() == 3);
  CHECK(plan(graph).lower_bound == 192);
}

void not_in_place_where_the_input_lives_on() {
  // Read by a later operator.
  CHECK(!share(liveness({{64, 64, 64}, {0}, {2}, {{{0}, {1}, 0}, {{0, 1}, {2}}}}), 0, 1));
  // A graph output itself.
  CHECK(!share(liveness({{64, 64}, {0}, {0, 1}, {{{0}, {1}, 0}}}), 0, 1));
  // Of another size.
  CHECK(!share(liveness({{64, 128}, {0}, {1}, {{{0}, {1}, 0}}}), 0, 1));
  // Read by another operand of the same operator.
  CHECK(!share(liveness({{64, 64}, {0}, {1}, {{{0, 0}, {1}, 0}}}), 0, 1));
  // A constant.
  const Graph constant{{0, 64}, {}, {1}, {{{0}, {1}, 0}}};
  CHECK(liveness(constant).buffer_of[0] == Liveness::kNoBuffer);
  CHECK(liveness(constant).buffer_of[1] != Liveness::kNoBuffer);
  // An index that the operator does not have.
  CHECK(!share(liveness({{64, 64}, {0}, {1}, {{{0}, {1}, 1}}}), 0, 1));
}

// 1 is a view of 0; the operator that reads 1 last may not destroy 0, which is read later.
void views_keep_their_source() {
  const Graph graph{
      {64, 64, 64, 64}, {0}, {3}, {{{0}, {1}, -1, true}, {{1}, {2}, 0}, {{0, 2}, {3}}}};
  const Liveness live = liveness(graph);
  CHECK(share(live, 0, 1) && !share(live, 1, 2));
  CHECK(live.buffers[0].last == 3);
  check_plan(graph);

  // A view that is read after its source has died keeps the memory.
  const Graph late{{64, 64, 64, 64}, {0}, {3}, {{{0}, {1}, -1, true}, {{0}, {2}}, {{1, 2}, {3}}}};
  CHECK(share(liveness(late), 0, 1) && liveness(late).buffers[0].last == 3);

  // A view of a constant is a copy.
  const Graph constant{{0, 64}, {}, {1}, {{{0}, {1}, -1, true}}};
  CHECK(liveness(constant).buffers.size() == 1);
}

void edges() {
  check_plan({{64}, {0}, {0}, {}});
  CHECK(plan({{64, 100}, {0, 1}, {0}, {}}).lower_bound == 164);
  check_plan({{0}, {}, {0}, {}});
  // A result that nobody reads needs memory while it is written.
  const Graph unread{{64, 64, 64}, {0}, {2}, {{{0}, {1}}, {{0}, {2}}}};
  CHECK(liveness(unread).buffers[1].first == 1 && liveness(unread).buffers[1].last == 1);
  check_plan(unread);
}

Graph random_graph(Random* random) {
  Graph graph;
  const auto size = [&] {
    return static_cast<uint64_t>(random->integer(1, random->chance(2) ? 300 : 5000));
  };
  graph.bytes.push_back(size());
  graph.inputs.push_back(0);
  const int64_t ops = random->integer(1, 60);
  for (int64_t i = 0; i < ops; ++i) {
    Op op;
    const auto made = static_cast<int64_t>(graph.bytes.size());
    const int64_t inputs = random->integer(1, 3);
    for (int64_t k = 0; k < inputs; ++k) {
      const int64_t far = random->chance(4) ? made : 3;
      op.inputs.push_back(static_cast<uint32_t>(made - random->integer(1, std::min(made, far))));
    }
    op.in_place_input = random->chance(2) ? 0 : -1;
    op.is_view = random->chance(6);
    const bool same = op.is_view || random->chance(2);
    op.outputs.push_back(static_cast<uint32_t>(made));
    graph.bytes.push_back(same ? graph.bytes[op.inputs[0]] : size());
    graph.ops.push_back(op);
  }
  graph.outputs.push_back(static_cast<uint32_t>(graph.bytes.size() - 1));
  if (random->chance(3)) graph.outputs.push_back(0);
  return graph;
}

// A run in which each tensor holds its own number must end with the numbers that a run with
// separate memory gives: nobody overwrote what somebody still reads.
void values_survive(const Graph& graph) {
  const Plan made = plan(graph);
  std::vector<uint64_t> expected(graph.bytes.size());
  std::vector<uint64_t> arena(made.arena_bytes / kAlignment + 1);
  const auto slot = [&](uint32_t tensor) -> uint64_t& {
    return arena[made.offsets[tensor] / kAlignment];
  };
  for (const uint32_t input : graph.inputs) slot(input) = expected[input] = input + 1;
  for (const Op& op : graph.ops) {
    uint64_t value = 0;
    for (const uint32_t input : op.inputs) {
      CHECK(slot(input) == expected[input]);
      value = value * 31 + expected[input];
    }
    if (op.is_view) value = expected[op.inputs[0]];
    slot(op.outputs[0]) = expected[op.outputs[0]] = value;
  }
  for (const uint32_t output : graph.outputs) CHECK(slot(output) == expected[output]);
}

void random_graphs() {
  uint64_t arena = 0;
  uint64_t bound = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    Random random(seed);
    const Graph graph = random_graph(&random);
    check_plan(graph);
    values_survive(graph);
    arena += plan(graph).arena_bytes;
    bound += plan(graph).lower_bound;
  }
  std::printf("random graphs: arena %.3f of the lower bound\n",
              static_cast<double>(arena) / static_cast<double>(bound));
}

// The largest networks that a file can hold are planned within seconds.
void many_buffers_take_no_time() {
  Random random(1);
  Graph graph{{64}, {0}, {}, {}};
  for (uint32_t i = 0; i < 16384; ++i) {
    const auto near = static_cast<uint32_t>(random.integer(i / 2, i));
    graph.bytes.push_back(static_cast<uint64_t>(random.integer(1, 100000)));
    graph.ops.push_back({{i, near}, {i + 1}});
  }
  graph.outputs.push_back(16384);
  const auto start = std::chrono::steady_clock::now();
  const Plan made = plan(graph);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("16384 buffers: %.2f s, arena %.3f of the lower bound\n", took.count(),
              static_cast<double>(made.arena_bytes) / static_cast<double>(made.lower_bound));
  CHECK(took.count() < 30);
}

}  // namespace
}  // namespace bitpose::test

int main() {
  using namespace bitpose::test;
  chain_needs_two_neighbours();
  residual_stays();
  in_place_where_the_input_dies();
  not_in_place_where_the_input_lives_on();
  views_keep_their_source();
  edges();
  random_graphs();
  many_buffers_take_no_time();
}
