// SPDX-License-Identifier: Apache-2.0
// Identities outlive the program that made them: the hashes here must never change. Where one of
// these tests turns red, results in every database in the world would be trained again. Raise a
// version where meaning changed on purpose; never edit a hash.

#include "experiments/spec/cell.h"
#include "experiments/spec/components.h"
#include "experiments/spec/task.h"
#include "experiments/spec/task_spec.h"
#include "tests/experiments/expect_error.h"

namespace remixer::experiments {
namespace {

using ::testing::HasSubstr;

Cell plain_cell() {
  Cell cell;
  cell.architecture = "deit_nano_patch4_32";
  cell.dataset = {{"fashion-bg", 1, {{"seed", 0}, {"train_images", 8000}, {"test_images", 1000}}}};
  cell.dataset_name = "fashion-bg";
  cell.recipe_name = "paper";
  return cell;
}

Cell labelled_cell() {
  Cell cell = plain_cell();
  cell.labeler = LabelerSpec{
      {"relabel",
       1,
       {{"input_size", 224}, {"top_k", 5}},
       {{"weights_sha256", "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"}}}};
  cell.distance = "cosine";
  cell.labeler_name = "relabel";
  cell.spatial_prior = "convit";
  cell.recipe.kappa_lr = 1e-2;
  cell.recipe.learning_rate = 1.5e-3;
  cell.seed = 3;
  return cell;
}

TEST(Identity, CanonicalFormOfACell) {
  EXPECT_EQ(
      canonical_json(plain_cell().identity()),
      R"({"architecture":"deit_nano_patch4_32","architecture_version":1,)"
      R"("dataset":{"builder":"fashion-bg","seed":0,"test_images":1000,"train_images":8000,)"
      R"("version":1},"distance":"","labeler":null,"precision":"fp32","recipe":{"beta1":0.9,)"
      R"("beta2":0.999,"clip_gradient":0,"cutmix":1,"drop_path":0.1,"ema_decay":0,"epochs":300,)"
      R"("epsilon":1e-8,"horizontal_flip":0.5,"kappa_lr":null,"label_smoothing":0.1,)"
      R"("learning_rate":0.0005,"learning_rate_batch":512,"min_rate":0.00001,)"
      R"("mix_probability":1,"mix_switch":0.5,"mixup":0.8,"schedule_unit":"epoch",)"
      R"("shard_size":64,"shards":4,"version":1,"warmup_epochs":5,"warmup_rate":0.000001,)"
      R"("weight_decay":0.05},"seed":0,"spatial_prior":"none"})");
}

TEST(Identity, GoldenCells) {
  EXPECT_EQ(plain_cell().id(), "b0b78c5567452df5fa3a6666f6c5eebba3e6460895fd5d5589271da1f3b009a9");
  EXPECT_EQ(labelled_cell().id(),
            "c73e54b1d357521d37d599eadc4a78091998209000d90a64d89c9459a18d8008");
}

TEST(Identity, GoldenTasks) {
  const Cell cell = labelled_cell();
  Task task;
  task.spec = spec_json(PrepareSpec{cell.dataset});
  EXPECT_EQ(task.id(), "92c9c4fb1562d43df8666a095ef1a7295c302053366c3a8363c70e1188694526");
  task.spec = spec_json(LabelSpec{cell.dataset, "train", *cell.labeler});
  EXPECT_EQ(task.id(), "07570ab071bc263fd9ef6d98775e7c6a4534447db393c2a052b22a336406cd08");
  task.spec = train_spec(cell.identity());
  EXPECT_EQ(task.id(), "9565e2467543b556db95db4be4a67618fe0114cf1c2a4ff47044e6e9a0a9e93c");
  task.spec = spec_json(EvaluateSpec{{"mixed_rand", "mixed_rand"}}, cell.identity());
  EXPECT_EQ(task.id(), "f0e137e994f0c80528f67f669ba2b64aac426e87f7fc24a2ce551d2b9e1fc4c5");
}

TEST(Identity, NamesForPeopleAreNotInIt) {
  Cell cell = labelled_cell();
  cell.labeler_name = "mine";
  cell.dataset_name = "clothes";
  cell.recipe_name = "short";
  EXPECT_EQ(cell.id(), labelled_cell().id());
}

TEST(Identity, EverythingElseIs) {
  const std::string id = plain_cell().id();
  const auto differs = [&](auto change) {
    Cell cell = plain_cell();
    change(cell);
    return cell.id() != id;
  };
  EXPECT_TRUE(differs([](Cell& c) { c.architecture = "mixer_nano_patch4_32"; }));
  EXPECT_TRUE(differs([](Cell& c) { c.architecture_version = 2; }));
  EXPECT_TRUE(differs([](Cell& c) { c.spatial_prior = "convit"; }));
  EXPECT_TRUE(differs([](Cell& c) { c.labeler = make_labeler_spec("saliency"); }));
  EXPECT_TRUE(differs([](Cell& c) { c.distance = "l1"; }));
  EXPECT_TRUE(differs([](Cell& c) { c.dataset.parameters["seed"] = 1; }));
  EXPECT_TRUE(differs([](Cell& c) { c.recipe.epochs = 299; }));
  EXPECT_TRUE(differs([](Cell& c) { c.recipe.version = 2; }));
  EXPECT_TRUE(differs([](Cell& c) { c.seed = 1; }));
  EXPECT_TRUE(differs([](Cell& c) { c.precision = "bf16"; }));
}

TEST(Identity, SurvivesTheWire) {
  for (const Cell& cell : {plain_cell(), labelled_cell()}) {
    const Cell back = cell_from_json(Json::parse(to_json(cell).dump()));
    EXPECT_EQ(back.id(), cell.id());
    EXPECT_EQ(to_json(back), to_json(cell));
  }
}

TEST(Identity, BrokenCellsAreNamed) {
  const auto broken = [](auto change) {
    Json json = to_json(labelled_cell());
    change(json);
    return input_error([&] { cell_from_json(json); });
  };
  EXPECT_EQ(broken([](Json& j) { j.erase("labeler_name"); }),
            "cell: field 'labeler_name' is missing");
  EXPECT_EQ(broken([](Json& j) { j["identity"].erase("seed"); }),
            "cell.identity: field 'seed' is missing");
  EXPECT_EQ(broken([](Json& j) { j["identity"]["sed"] = 1; }),
            "cell.identity: unknown field 'sed'; did you mean 'seed'?");
  EXPECT_EQ(broken([](Json& j) { j["identity"]["seed"] = "0"; }),
            "cell.identity.seed must be an integer, not a string");
  EXPECT_EQ(broken([](Json& j) { j["identity"]["labeler"] = "relabel"; }),
            "cell.identity.labeler must be an object, not a string");
  EXPECT_EQ(broken([](Json& j) { j["identity"]["dataset"] = nullptr; }),
            "cell.identity.dataset must be an object, not null");
}

TEST(TaskJson, SurvivesTheWire) {
  Task task;
  task.kind = TaskKind::kTrain;
  task.spec = {{"kind", "train"}, {"cell", plain_cell().identity()}};
  task.dependencies = {"aa", "bb"};
  task.cell_id = plain_cell().id();
  task.title = "train it";
  const Task back = task_from_json(Json::parse(to_json(task).dump()));
  EXPECT_EQ(back.kind, TaskKind::kTrain);
  EXPECT_EQ(back.id(), task.id());
  EXPECT_EQ(to_json(back), to_json(task));
}

TEST(TaskJson, BrokenTasksAreNamed) {
  Json json = {{"spec", {{"kind", "train"}}},
               {"dependencies", Json::array()},
               {"cell_id", ""},
               {"title", ""}};
  EXPECT_EQ(input_error([&] { task_from_json(json); }), "task.spec: field 'cell' is missing");
  json["spec"]["kind"] = "trian";
  EXPECT_EQ(input_error([&] { task_from_json(json); }),
            "unknown task kind 'trian'; did you mean 'train'?");
  const Json dataset = {{"builder", "x"}, {"version", 1}};
  json["spec"] = {{"kind", "prepare"}, {"dataset", dataset}, {"split", "x"}};
  EXPECT_THAT(input_error([&] { task_from_json(json); }),
              HasSubstr("task.spec: unknown field 'split'"));
  json["spec"] = nullptr;
  EXPECT_THAT(input_error([&] { task_from_json(json); }), HasSubstr("'kind'"));
  json["spec"] = {{"kind", "prepare"}, {"dataset", 1}};
  EXPECT_EQ(input_error([&] { task_from_json(json); }),
            "task.spec.dataset must be an object, not an integer");
  json["spec"]["dataset"] = {{"builder", "x"}};
  EXPECT_EQ(input_error([&] { task_from_json(json); }),
            "task.spec.dataset: field 'version' is missing");
  json["spec"]["dataset"] = {{"builder", "x"}, {"version", 1}, {"seed", 0.5}};
  EXPECT_EQ(input_error([&] { task_from_json(json); }),
            "task.spec.dataset.seed must be an integer, not a number");
  json["spec"]["dataset"] = dataset;
  json["dependencies"] = {1};
  EXPECT_EQ(input_error([&] { task_from_json(json); }),
            "task.dependencies[0] must be a string, not an integer");
}

}  // namespace
}  // namespace remixer::experiments
