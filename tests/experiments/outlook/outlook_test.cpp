// SPDX-License-Identifier: Apache-2.0
// What a grid takes, by stated and by measured rates, with nothing of it there.
#include "experiments/outlook/outlook.h"

#include "experiments/outlook/rehearsal.h"
#include "experiments/spec/components.h"
#include "tests/experiments/expect_error.h"
#include "tests/support/program.h"

namespace remixer::experiments {
namespace {

using ::testing::HasSubstr;

constexpr const char* kGrid = R"(
name = "small"
[dataset.imagenet9]
builder = "imported"
[recipe.long]
epochs = 10
shard_size = 64
repeated_augmentation = 3
[[cells]]
architecture = "deit_small_patch16_224"
labeler = ["none", "bbox_grabcut"]
precision = "fp16"
seed = [0, 1]
[[evaluation]]
sets = ["original", "mixed_rand"]
)";

OutlinedGrid outlined() {
  return outline_grid_text(kGrid, "small.toml", "/no/workspace");
}

const OutlookRow& row(const Outlook& outlook, const std::string& kind, const std::string& labeler) {
  for (const OutlookRow& each : outlook.rows) {
    if (each.kind == kind && each.what.ends_with(labeler)) return each;
  }
  throw Error("no row of " + kind);
}

const Machine kFourA100s{
    .gpu = true, .model = "a100", .devices = 4, .processors = 48, .workers = 2};

TEST(Outlook, CountsImagesOfWholeEpochs) {
  const Outlook outlook = look_ahead(outlined(), {}, Rates(kFourA100s));
  EXPECT_EQ(outlook.cells, 4);
  EXPECT_EQ(outlook.tasks, 1 + 3 + 4 + 8);
  // 45,405 images are 177 whole steps of 256, ten times, for two seeds.
  EXPECT_EQ(row(outlook, "train", "none").images, 2 * 10 * 177 * 256);
  EXPECT_EQ(row(outlook, "evaluate", "none").images, 2 * 2 * 4050);
  EXPECT_EQ(row(outlook, "label", "bbox_grabcut").images, 45405 + 2 * 4050);
  EXPECT_TRUE(outlook.whole);
  // timm's rate on an RTX 3090, doubled for an A100.
  EXPECT_NEAR(row(outlook, "train", "none").device_hours, 2 * 10 * 177 * 256 / (2 * 1054.0) / 3600,
              1e-9);
  EXPECT_THAT(row(outlook, "train", "none").basis, HasSubstr("stated"));
  EXPECT_GT(outlook.wall_hours, outlook.device_hours / 8);
  EXPECT_GT(outlook.label_gigabytes, 0);
}

TEST(Outlook, FinishedTasksAreReused) {
  const OutlinedGrid grid = outlined();
  std::set<std::string> done;
  for (const Task& task : grid.grid.tasks) {
    if (task.cell_id == grid.grid.cells[0].id() || task.kind == TaskKind::kPrepare) {
      done.insert(task.id());
    }
  }
  const Outlook outlook = look_ahead(grid, done, Rates(kFourA100s));
  EXPECT_EQ(outlook.cells_reused, 1);
  EXPECT_EQ(outlook.tasks_reused, 1 + 1 + 2);
  EXPECT_EQ(row(outlook, "train", "none").images, 10 * 177 * 256);
}

TEST(Outlook, WhatWasMeasuredCountsBeforeWhatIsStated) {
  const Json record = {{"gpu", true},
                       {"model", "a100"},
                       {"training",
                        {{{"architecture", "deit_small_patch16_224"},
                          {"spatial_prior", "none"},
                          {"labels", "l1"},
                          {"images_a_second", 4000},
                          {"units", 4}}}},
                       {"labelling",
                        {{{"labeler", "bbox_grabcut"},
                          {"images_a_second", 20},
                          {"units", 2},
                          {"bytes_an_image", 1000},
                          {"whole", true}}}}};
  Rates rates(kFourA100s);
  rates.add(record, "rehearsal of small");
  const Outlook outlook = look_ahead(outlined(), {}, rates);
  EXPECT_EQ(row(outlook, "train", "bbox_grabcut").basis, "measured: rehearsal of small");
  EXPECT_NEAR(row(outlook, "train", "bbox_grabcut").device_hours,
              2 * 10 * 177 * 256 / 1000.0 / 3600, 1e-9);
  EXPECT_NEAR(row(outlook, "label", "bbox_grabcut").processor_hours, (45405 + 8100) / 10.0 / 3600,
              1e-9);
  EXPECT_THAT(row(outlook, "train", "none").basis, HasSubstr("stated"));
  // Measured on another kind of machine, it says nothing of this one.
  Rates processors(Machine{.devices = 2, .processors = 2});
  processors.add(record, "rehearsal of small");
  const Outlook slow = look_ahead(outlined(), {}, processors);
  EXPECT_THAT(row(slow, "train", "bbox_grabcut").basis, HasSubstr("stated"));
  EXPECT_THAT(input_error([&] { rates.add({{"other", 1}}, "file.json"); }), HasSubstr("file.json"));
}

// A network labels on a GPU, if there is one, and processors read its images.
TEST(Outlook, NetworksLabelOnGpus) {
  std::string text = kGrid;
  text.replace(text.find("bbox_grabcut"), std::string("bbox_grabcut").size(), "relabel");
  const OutlinedGrid grid = outline_grid_text(text, "small.toml", "/no/workspace");
  const Outlook here = look_ahead(grid, {}, Rates(Machine{.devices = 2, .processors = 2}));
  const Outlook there = look_ahead(grid, {}, Rates(kFourA100s));
  const OutlookRow& slow = row(here, "label", "relabel");
  const OutlookRow& fast = row(there, "label", "relabel");
  EXPECT_EQ(slow.device_hours, 0);
  EXPECT_GT(fast.device_hours, 0);
  EXPECT_LT(fast.device_hours, slow.processor_hours / 50);
  EXPECT_LT(fast.processor_hours, slow.processor_hours);
  EXPECT_THAT(fast.basis, HasSubstr("ms of a GPU"));
  double device = 0;
  for (const OutlookRow& each : there.rows) device += each.device_hours;
  EXPECT_NEAR(there.device_hours, device, 1e-12);
  const Outlook cut = look_ahead(outlined(), {}, Rates(kFourA100s));
  EXPECT_EQ(row(cut, "label", "bbox_grabcut").device_hours, 0);
  // Its images are read while the GPUs compute.
  Rates rates(kFourA100s);
  const double hours = std::max(fast.device_hours / 4, fast.processor_hours / 48);
  EXPECT_GT(there.wall_hours, hours / 2);
  EXPECT_LT(there.wall_hours, (there.device_hours / 4 + fast.processor_hours / 48) / 2);
  // What processors took says nothing of a GPU.
  rates.add({{"gpu", false},
             {"training", Json::array()},
             {"labelling",
              {{{"labeler", "relabel"},
                {"images_a_second", 20},
                {"units", 2},
                {"bytes_an_image", 1000},
                {"whole", true}}}}},
            "rehearsal on processors");
  EXPECT_EQ(row(look_ahead(grid, {}, rates), "label", "relabel").basis, fast.basis);
}

// An image that nobody has counted is left out, and said to be.
TEST(Outlook, SaysWhatItDoesNotKnow) {
  const OutlinedGrid grid = outline_grid_text(
      "name = \"g\"\n[dataset.mine]\nbuilder = \"imported\"\n[recipe.r]\n[[cells]]\narchitecture = "
      "\"deit_tiny_patch16_224\"\n[[evaluation]]\nsets = [\"shifted\"]\n",
      "g.toml", "/no/workspace");
  const Outlook outlook = look_ahead(grid, {}, Rates(kFourA100s));
  EXPECT_FALSE(outlook.whole);
  EXPECT_FALSE(row(outlook, "train", "none").known);
  EXPECT_EQ(grid.file.missing.at(0).command, "remixer dataset import folder FOLDER --name mine");
}

TEST(Rehearsal, OrdersWhatIsMissing) {
  const OutlinedGrid grid = outlined();
  const Json order =
      rehearsal_order(grid, "/no/workspace", "/no/weights", {.gpu = false, .ranks = 2});
  ASSERT_EQ(order.at("datasets").size(), 1u);
  EXPECT_EQ(order.at("datasets")[0].at("kind"), "imagenet9");
  EXPECT_EQ(order.at("datasets")[0].at("train_images"), 2 * 2 * 2);
  EXPECT_EQ(order.at("weights").size(), 0u);
  const Json large =
      rehearsal_order(grid, "/no/workspace", "/no/weights", {.gpu = true, .ranks = 4});
  EXPECT_EQ(large.at("datasets")[0].at("train_images"), 2 * 256);
}

TEST(Rehearsal, IsTheGridForTwoSteps) {
  const OutlinedGrid real = outline_grid_text(
      "name = \"g\"\ndescription = \"mine\"\n[dataset.clothes]\nbuilder = \"fashion-bg\"\n"
      "[recipe.r]\nhold_out = 0.001\n[[cells]]\narchitecture = \"deit_nano_patch4_32\"\nlabeler = "
      "[\"none\", \"saliency\"]\nprecision = [\"fp16\", \"fp32\"]\nseed = [3, 4]\n[[evaluation]]\n"
      "sets = [\"original\"]\n",
      "g.toml", "/no/workspace");
  ASSERT_EQ(real.grid.cells.size(), 8u);
  const Grid grid = rehearsal_grid(real.file, "/no/workspace", {}, {.gpu = false, .ranks = 2});
  EXPECT_EQ(grid.name, "REHEARSAL-g");
  EXPECT_THAT(grid.description, ::testing::StartsWith("REHEARSAL"));
  ASSERT_EQ(grid.cells.size(), 2u) << "one seed, and one precision where fp16 cannot be";
  for (const Cell& cell : grid.cells) {
    EXPECT_EQ(cell.seed, 3);
    EXPECT_EQ(cell.precision, "fp32");
    EXPECT_EQ(cell.recipe_name, "REHEARSAL-r");
    EXPECT_EQ(cell.recipe.epochs, 1);
    const int64_t images = cell.dataset.parameter("train_images");
    EXPECT_NO_THROW(make_dataset_spec(cell.dataset.name, cell.dataset.parameters));
    const auto held = static_cast<int64_t>(cell.recipe.hold_out * static_cast<double>(images));
    EXPECT_GE(held, 1);
    EXPECT_EQ((images - held) / (cell.recipe.shards * cell.recipe.shard_size), 2);
  }
  const Grid whole = rehearsal_grid(real.file, "/no/workspace", {}, {.gpu = true, .ranks = 4});
  EXPECT_EQ(whole.cells.size(), 8u);
  EXPECT_EQ(whole.cells[0].recipe.shards * whole.cells[0].recipe.shard_size, 256);
}

}  // namespace
}  // namespace remixer::experiments
