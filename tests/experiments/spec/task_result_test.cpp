// SPDX-License-Identifier: Apache-2.0
#include "experiments/spec/task_result.h"

#include <gtest/gtest.h>

#include "tests/experiments/expect_error.h"

namespace remixer::experiments {
namespace {

TrainResult trained() {
  TrainResult result;
  result.model = "runs/ab/1/model.safetensors";
  result.model_sha256 = "cd";
  result.kappa = {0.5, std::nullopt};
  result.final_loss = 1.25;
  result.steps = 1000;
  result.resumed_at = 40;
  result.seconds = 12.5;
  return result;
}

TEST(TaskResult, HasTheFormThatTheDocumentsSay) {
  EXPECT_EQ(result_json(PrepareResult{"datasets/ab", "cd", 40}),
            (Json{{"folder", "datasets/ab"}, {"content_sha256", "cd"}, {"images", 40}}));
  EXPECT_EQ(result_json(LabelResult{"labels/a/b/train.labels", "cd", 40, 8, 2.5}),
            (Json{{"file", "labels/a/b/train.labels"},
                  {"content_sha256", "cd"},
                  {"images", 40},
                  {"resumed_at", 8},
                  {"seconds", 2.5}}));
  Json expected = {{"model", "runs/ab/1/model.safetensors"},
                   {"model_sha256", "cd"},
                   {"ema", nullptr},
                   {"kappa", {0.5, nullptr}},
                   {"final_loss", 1.25},
                   {"steps", 1000},
                   {"resumed_at", 40},
                   {"seconds", 12.5}};
  TrainResult result = trained();
  EXPECT_EQ(result_json(result), expected);
  result.ema = "runs/ab/1/ema.safetensors";
  result.ema_sha256 = "12";
  result.best = "runs/ab/1/best.safetensors";
  result.best_sha256 = "34";
  result.best_epoch = 0;
  result.hold_out_top1 = 62.5;
  expected.update({{"ema", "runs/ab/1/ema.safetensors"},
                   {"ema_sha256", "12"},
                   {"best", "runs/ab/1/best.safetensors"},
                   {"best_sha256", "34"},
                   {"best_epoch", 0},
                   {"hold_out_top1", 62.5}});
  EXPECT_EQ(result_json(result), expected);
  EXPECT_EQ(result_json(EvaluateResult{"runs/ab/1/predictions.safetensors", "cd", 2.5}),
            (Json{{"predictions", "runs/ab/1/predictions.safetensors"},
                  {"predictions_sha256", "cd"},
                  {"seconds", 2.5}}));
  EXPECT_EQ(result_json(SaliencyResult{"runs/ab/1/saliency.safetensors", "cd", 4, 2.5}),
            (Json{{"saliency", "runs/ab/1/saliency.safetensors"},
                  {"saliency_sha256", "cd"},
                  {"images", 4},
                  {"seconds", 2.5}}));
}

TEST(TaskResult, IsReadAsItWasWritten) {
  const Json json = result_json(trained());
  EXPECT_EQ(result_json(task_result<TrainResult>(json)), json);
  EXPECT_EQ(task_result<TrainResult>(json).weights("raw"), "runs/ab/1/model.safetensors");
  EXPECT_EQ(task_result<TrainResult>(json).weights("ema"), std::nullopt);
  EXPECT_EQ(task_result<TrainResult>(json).weights("best"), std::nullopt);
}

// Of an older version, which said less, or of a newer one, which says more.
TEST(TaskResult, OfAnotherVersionIsReadAsFarAsItGoes) {
  const auto old = task_result<TrainResult>({{"model", "runs/ab/1/model.safetensors"}});
  EXPECT_EQ(old.weights("raw"), "runs/ab/1/model.safetensors");
  EXPECT_EQ(old.weights("ema"), std::nullopt);
  EXPECT_TRUE(old.kappa.empty());
  const Json newer = {{"file", "labels/a/b/train.labels"}, {"moon", "full"}};
  EXPECT_EQ(task_result<LabelResult>(newer).file, "labels/a/b/train.labels");
  EXPECT_EQ(input_error([] {
              task_result<PrepareResult>({{"folder", "datasets/ab"}});
            }),
            "result: field 'content_sha256' is missing");
  EXPECT_EQ(input_error([] {
              task_result<LabelResult>({{"file", 3}});
            }),
            "result.file must be a string, not an integer");
}

TEST(TaskResult, ThatIsTornInADatabaseIsNone) {
  for (const char* text : {"", "{\"model\": \"runs/a", "null", "[]", "{\"model\": 3}", "{}"}) {
    EXPECT_FALSE(stored_result<TrainResult>(text).has_value()) << text;
  }
  EXPECT_TRUE(stored_result<TrainResult>(R"({"model": "m"})").has_value());
}

}  // namespace
}  // namespace remixer::experiments
