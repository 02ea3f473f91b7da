// SPDX-License-Identifier: Apache-2.0
#include "experiments/protocol/messages.h"

#include <rapidcheck.h>

#include <cmath>

#include "experiments/spec/components.h"
#include "tests/experiments/expect_error.h"

namespace remixer::experiments::protocol {
namespace {

// To the wire and back, then to JSON again.
template <typename T>
Json round_trip(const T& message) {
  return to_json(from_json<T>(Json::parse(to_json(message).dump())));
}

// Text that JSON can carry.
std::string any_text() {
  std::string text = *rc::gen::arbitrary<std::string>();
  for (char& c : text) c &= 0x7f;
  return text;
}
int64_t any_integer() {
  return *rc::gen::arbitrary<int64_t>();
}
double any_number() {
  return *rc::gen::arbitrary<double>();
}
Json any_json() {
  return {{"text", any_text()}, {"number", any_number()}, {"list", {any_integer(), nullptr, true}}};
}
std::vector<MetricPoint> any_metrics() {
  std::vector<MetricPoint> metrics(*rc::gen::inRange(0, 4));
  for (MetricPoint& m : metrics) m = {any_integer(), any_number(), any_text(), any_number()};
  return metrics;
}

Cell some_cell() {
  Cell cell;
  cell.architecture = "deit_nano_patch4_32";
  cell.labeler = make_labeler_spec("saliency");
  cell.distance = "l1";
  cell.dataset = make_dataset_spec("fashion-bg");
  cell.seed = *rc::gen::inRange(0, 1000);
  cell.labeler_name = any_text();
  return cell;
}
Task some_task() {
  Task task;
  task.kind = TaskKind::kTrain;
  task.spec = {{"kind", "train"}, {"cell", some_cell().identity()}};
  task.dependencies = {any_text(), any_text()};
  task.title = any_text();
  return task;
}

TEST(Messages, SurviveTheWire) {
  EXPECT_TRUE(rc::check("registration", [] {
    const RegisterWorker worker{any_text(), any_text(), any_integer(), any_integer(),
                                any_text(), any_text(), any_text(),    any_json()};
    RC_ASSERT(round_trip(worker) == to_json(worker));
    const WorkerRegistered reply{any_text(), any_number(), any_number(), any_text()};
    RC_ASSERT(round_trip(reply) == to_json(reply));
  }));
  EXPECT_TRUE(rc::check("claim", [] {
    const Claim claim{any_text(), {}};
    RC_ASSERT(round_trip(claim) == to_json(claim));
    ClaimReply reply;
    RC_ASSERT(round_trip(reply) == to_json(reply));
    reply.retry_seconds = any_number();
    reply.exit = *rc::gen::arbitrary<bool>();
    reply.assignment =
        Assignment{any_text(),    some_task(),
                   any_integer(), any_integer(),
                   any_text(),    {any_text()},
                   any_integer(), {{any_text(), TaskKind::kLabel, any_json(), any_json()}},
                   some_cell()};
    RC_ASSERT(round_trip(reply) == to_json(reply));
    RC_ASSERT(from_json<ClaimReply>(to_json(reply)).assignment->cell->id() ==
              reply.assignment->cell->id());
    reply.assignment->cell.reset();
    RC_ASSERT(round_trip(reply) == to_json(reply));
  }));
  EXPECT_TRUE(rc::check("heartbeat", [] {
    const Heartbeat beat{any_text(),    any_text(),    any_integer(), any_integer(),
                         any_integer(), any_integer(), any_text(),    any_metrics()};
    RC_ASSERT(round_trip(beat) == to_json(beat));
  }));
  EXPECT_TRUE(rc::check("result", [] {
    AttemptResult result;
    result.worker_id = any_text();
    result.task_id = any_text();
    result.attempt = any_integer();
    result.fence = any_integer();
    result.ending = *rc::gen::element(Ending::kDone, Ending::kReleased, Ending::kFailed,
                                      Ending::kBadInput, Ending::kOutOfMemory);
    result.reason = any_text();
    result.result = any_json();
    const std::string weights = *rc::gen::element<std::string>("raw", "ema", "best");
    result.figures = {{weights, any_text(), any_text(), any_number(), any_integer()}};
    result.metrics = any_metrics();
    result.publish = {{any_text(), any_text()}};
    RC_ASSERT(round_trip(result) == to_json(result));
    RC_ASSERT(from_json<AttemptResult>(to_json(result)).ending == result.ending);
    const ResultReply reply{*rc::gen::arbitrary<bool>(), any_text()};
    RC_ASSERT(round_trip(reply) == to_json(reply));
  }));
  EXPECT_TRUE(rc::check("grid", [] {
    const SubmitGrid grid{any_text(),    any_text(), any_text(), {some_cell(), some_cell()},
                          {some_task()}, {}};
    RC_ASSERT(round_trip(grid) == to_json(grid));
    const GridSubmitted reply{any_integer(), any_integer(), any_integer(), any_integer(),
                              any_integer(), any_integer(), any_integer()};
    RC_ASSERT(round_trip(reply) == to_json(reply));
  }));
}

// The round trip above would not notice two names for one thing, nor a field that both ways forget.
TEST(Messages, HaveTheDocumentedForm) {
  EXPECT_EQ(to_json(Heartbeat{"w", "t", 2, 7, 30, 100, "training", {{30, 1.5, "loss", 2.25}}}),
            Json::parse(R"({"worker_id": "w", "task_id": "t", "attempt": 2, "fence": 7, "step": 30,
              "total_steps": 100, "activity": "training",
              "metrics": [{"step": 30, "epoch": 1.5, "name": "loss", "value": 2.25}]})"));
  EXPECT_EQ(
      to_json(GridSubmitted{1, 2, 3, 4, 5, 6, 7}),
      Json::parse(R"({"grid_id": 1, "cells": 2, "cells_done": 3, "tasks": 4, "tasks_reused": 5,
              "tasks_queued": 6, "tasks_underway": 7})"));
  AttemptResult result{"w",
                       "t",
                       1,
                       2,
                       Ending::kBadInput,
                       "torn image",
                       nullptr,
                       {{"raw", "mixed_rand", "top1", 41.5, 1000}},
                       {},
                       {{"runs/t/1/x", "labels/x"}}};
  EXPECT_EQ(to_json(result),
            Json::parse(R"({"worker_id": "w", "task_id": "t", "attempt": 1, "fence": 2,
      "ending": "bad_input", "reason": "torn image", "result": null, "metrics": [],
      "figures": [{"weights": "raw", "eval_set": "mixed_rand", "metric": "top1", "value": 41.5, "n": 1000}],
      "publish": [{"from": "runs/t/1/x", "to": "labels/x"}]})"));
  EXPECT_EQ(to_json(ClaimReply{}),
            Json::parse(R"({"assignment": null, "retry_seconds": 1.0, "exit": false})"));
}

// Fields that came later are left out where they say nothing, so old senders are understood.
TEST(Messages, LaterFieldsMayBeLeftOut) {
  EXPECT_EQ(to_json(Claim{"w", {}}), (Json{{"worker_id", "w"}}));
  Claim claim{"w", AttemptResult{}};
  claim.result->task_id = "t";
  EXPECT_EQ(from_json<Claim>(to_json(claim)).result->task_id, "t");
  ClaimReply reply;
  reply.result = ResultReply{true, ""};
  EXPECT_TRUE(from_json<ClaimReply>(to_json(reply)).result->accepted);
  RegisterWorker worker;
  worker.environment = Json::object();
  EXPECT_FALSE(to_json(worker).contains("ends_at"));
  worker.ends_at = 1.8e9;
  worker.gpus = 4;
  EXPECT_EQ(from_json<RegisterWorker>(to_json(worker)).ends_at, 1.8e9);
  EXPECT_EQ(from_json<RegisterWorker>(to_json(worker)).gpus, 4);
  EXPECT_EQ(to_json(GridSettings{0, 3, 0, 0}), (Json{{"max_running", 3}}));
  EXPECT_EQ(from_json<GridSettings>(Json::object()), GridSettings{});
}

// It is recorded with every attempt, and read by its names.
TEST(Messages, AWorkersEnvironmentIsAnObject) {
  Json worker = to_json([] {
    RegisterWorker about;
    about.name = "host:1";
    about.environment = {{"processor", "none"}};
    return about;
  }());
  EXPECT_NO_THROW(from_json<RegisterWorker>(worker));
  for (const Json& other : {Json::array({nullptr}), Json("text"), Json(nullptr), Json(3)}) {
    worker["environment"] = other;
    EXPECT_THAT(input_error([&] { from_json<RegisterWorker>(worker); }),
                ::testing::HasSubstr("environment must be an object"));
  }
}

// A figure of other weights would be stored and shown nowhere.
TEST(Messages, AFigureIsOfKnownWeights) {
  AttemptResult result;
  result.figures = {{"raw", "original", "top1", 50, 10}, {"best", "original", "top1", 50, 10}};
  Json json = to_json(result);
  EXPECT_NO_THROW(from_json<AttemptResult>(json));
  json["figures"][1]["weights"] = "rav";
  EXPECT_THAT(input_error([&] { from_json<AttemptResult>(json); }),
              ::testing::AllOf(::testing::HasSubstr("result.figures[1].weights"),
                               ::testing::HasSubstr("raw")));
}

// A cell's identity travels once, however many tasks it has.
TEST(Messages, ATasksSpecLeavesOutItsCell) {
  Cell cell;
  cell.architecture = "deit_nano_patch4_32";
  cell.dataset = make_dataset_spec("fashion-bg");
  SubmitGrid grid;
  grid.cells = {cell};
  Task task;
  task.kind = TaskKind::kTrain;
  task.spec = {{"kind", "train"}, {"cell", cell.identity()}};
  task.cell_id = cell.id();
  grid.tasks = {task};
  const Json json = to_json(grid);
  EXPECT_EQ(json["tasks"][0]["spec"], (Json{{"kind", "train"}}));
  EXPECT_EQ(from_json<SubmitGrid>(json).tasks[0].id(), task.id());
  Json foreign = json;
  foreign["tasks"][0]["cell_id"] = "another";
  EXPECT_NE(input_error([&] { from_json<SubmitGrid>(foreign); }).find("not in the grid"),
            std::string::npos);
}

TEST(Messages, EveryOrderAndEndingHasItsText) {
  for (const Order order : {Order::kContinue, Order::kStop, Order::kAbandon}) {
    EXPECT_EQ(from_json<HeartbeatReply>(to_json(HeartbeatReply{order})).order, order);
  }
  EXPECT_EQ(to_string(Order::kAbandon), "abandon");
  EXPECT_EQ(to_string(Ending::kOutOfMemory), "out_of_memory");
}

TEST(Messages, AMetricThatRanAwayStillArrives) {
  Heartbeat beat;
  beat.metrics = {{1, 0, "loss", std::nan("")}, {2, 0, "loss", INFINITY}};
  const Heartbeat back = from_json<Heartbeat>(Json::parse(to_json(beat).dump()));
  EXPECT_TRUE(std::isnan(back.metrics[0].value));
  EXPECT_TRUE(std::isnan(back.metrics[1].value));
  AttemptResult result;
  result.figures = {{"raw", "original", "top1", std::nan(""), 10}};
  EXPECT_THROW(to_json(result), InputError);  // but never a figure of a table
}

TEST(Messages, BrokenOnesAreNamed) {
  const auto broken = [](auto change) {
    Heartbeat beat;
    beat.metrics = {{1, 0.5, "loss", 2.0}};
    Json json = to_json(beat);
    change(json);
    return input_error([&] { from_json<Heartbeat>(json); });
  };
  EXPECT_EQ(broken([](Json& j) { j.erase("fence"); }), "heartbeat: field 'fence' is missing");
  EXPECT_EQ(broken([](Json& j) { j["stpe"] = 1; }),
            "heartbeat: unknown field 'stpe'; did you mean 'step'?");
  EXPECT_EQ(broken([](Json& j) { j["step"] = "1"; }),
            "heartbeat.step must be an integer, not a string");
  EXPECT_EQ(broken([](Json& j) { j["step"] = 1.5; }),
            "heartbeat.step must be an integer, not a number");
  EXPECT_EQ(broken([](Json& j) { j["step"] = uint64_t{1} << 63; }),
            "heartbeat.step is too large: 9223372036854775808");
  EXPECT_EQ(broken([](Json& j) { j["activity"] = nullptr; }),
            "heartbeat.activity must be a string, not null");
  EXPECT_EQ(broken([](Json& j) { j["metrics"] = Json::object(); }),
            "heartbeat.metrics must be an array, not an object");
  EXPECT_EQ(broken([](Json& j) { j["metrics"][0].erase("name"); }),
            "heartbeat.metrics[0]: field 'name' is missing");
  EXPECT_EQ(broken([](Json& j) { j = 3; }), "heartbeat must be an object, not an integer");
  EXPECT_EQ(input_error([] {
              from_json<HeartbeatReply>({{"order", "stopp"}});
            }),
            "heartbeat reply.order: unknown value 'stopp'; did you mean 'stop'?");
  EXPECT_EQ(input_error([] {
              from_json<ResultReply>({{"accepted", 1}, {"reason", ""}});
            }),
            "result reply.accepted must be true or false, not an integer");
}

}  // namespace
}  // namespace remixer::experiments::protocol
