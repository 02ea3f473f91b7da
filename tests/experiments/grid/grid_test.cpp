// SPDX-License-Identifier: Apache-2.0
#include "experiments/grid/grid.h"

#include <map>
#include <set>

#include "experiments/spec/components.h"
#include "experiments/spec/paper_recipe.h"
#include "experiments/spec/task_spec.h"
#include "tests/experiments/expect_error.h"

namespace remixer::experiments {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kHead = R"(
name = "small"
description = "For a test"
[dataset.clothes]
builder = "fashion-bg"
train_images = 200
test_images = 50
[recipe.short]
epochs = 5
shards = 1
shard_size = 16
)";

Grid grid_of(const std::string& rest) {
  return parse_grid(kHead + rest, "small.toml");
}

std::vector<std::string> cell_texts(const Grid& grid) {
  std::vector<std::string> texts;
  for (const Cell& cell : grid.cells) {
    texts.push_back(fmt::format("{} {} {} {}", cell.architecture, cell.spatial_prior,
                                cell.labeler_name, cell.seed));
  }
  return texts;
}

std::vector<std::string> titles(const Grid& grid) {
  std::vector<std::string> titles;
  for (const Task& task : grid.tasks) titles.push_back(task.title);
  return titles;
}

// What a scheduler relies on: each task once, and never before what it needs.
void expect_sound(const Grid& grid) {
  std::set<std::string> seen, cells;
  for (const Cell& cell : grid.cells) EXPECT_TRUE(cells.insert(cell.id()).second);
  for (const Task& task : grid.tasks) {
    for (const std::string& dependency : task.dependencies) {
      EXPECT_TRUE(seen.contains(dependency)) << task.title;
    }
    EXPECT_TRUE(seen.insert(task.id()).second) << task.title << " twice";
    const bool of_cell = task.kind != TaskKind::kPrepare && task.kind != TaskKind::kLabel;
    EXPECT_EQ(cells.contains(task.cell_id), of_cell) << task.title;
    const Task back = task_from_json(to_json(task));
    EXPECT_EQ(back.kind, task.kind);
  }
}

TEST(Grid, TasksOfACellStandTogetherBehindWhatTheyNeed) {
  const Grid grid = grid_of(R"(
[[cells]]
architecture = "deit_nano_patch4_32"
labeler = ["none", "bbox_grabcut"]
[[evaluation]]
sets = ["original", "mixed_rand"]
)");
  expect_sound(grid);
  EXPECT_EQ(grid.name, "small");
  EXPECT_EQ(grid.description, "For a test");
  EXPECT_THAT(
      titles(grid),
      ElementsAre("prepare clothes", "train deit_nano_patch4_32 · none · seed 0",
                  "evaluate original · deit_nano_patch4_32 · none · seed 0",
                  "evaluate mixed_rand · deit_nano_patch4_32 · none · seed 0",
                  "label clothes · train · bbox_grabcut", "label clothes · original · bbox_grabcut",
                  "label clothes · mixed_rand · bbox_grabcut",
                  "train deit_nano_patch4_32 · bbox_grabcut · seed 0",
                  "evaluate original · deit_nano_patch4_32 · bbox_grabcut · seed 0",
                  "evaluate mixed_rand · deit_nano_patch4_32 · bbox_grabcut · seed 0"));
}

TEST(Grid, TasksDependOnExactlyWhatTheyRead) {
  const Grid grid = grid_of(R"(
[[cells]]
architecture = "mixer_nano_patch4_32"
labeler = "saliency"
[[evaluation]]
sets = ["original", "mixed_rand"]
)");
  std::map<std::string, std::string> title_of;
  for (const Task& task : grid.tasks) title_of[task.id()] = task.title;
  const auto needs = [&](const Task& task) {
    std::set<std::string> names;
    for (const std::string& id : task.dependencies) names.insert(title_of.at(id));
    return names;
  };
  ASSERT_EQ(grid.tasks.size(), 7u);
  EXPECT_THAT(needs(grid.tasks[0]), ElementsAre());
  EXPECT_THAT(needs(grid.tasks[1]), ElementsAre("prepare clothes"));
  EXPECT_THAT(needs(grid.tasks[4]),
              ElementsAre("label clothes · train · saliency", "prepare clothes"));
  EXPECT_THAT(needs(grid.tasks[6]),
              ElementsAre("label clothes · mixed_rand · saliency", "prepare clothes",
                          "train mixer_nano_patch4_32 · saliency · seed 0"));
  const Cell& cell = grid.cells[0];
  EXPECT_EQ(grid.tasks[2].spec, (Json{{"kind", "label"},
                                      {"dataset", write_value(cell.dataset)},
                                      {"split", "original"},
                                      {"labeler", write_value(*cell.labeler)}}));
  EXPECT_EQ(grid.tasks[4].spec, (Json{{"kind", "train"}, {"cell", cell.identity()}}));
  EXPECT_EQ(grid.tasks[6].spec, (Json{{"kind", "evaluate"},
                                      {"cell", cell.identity()},
                                      {"eval_set", "mixed_rand"},
                                      {"version", 1}}));
}

TEST(Grid, ArchitecturesTurnSlowestAndSeedsFastest) {
  const Grid grid = grid_of(R"(
[[cells]]
architecture = ["mixer_nano_patch4_32", "deit_nano_patch4_32"]
labeler = ["relabel", "none"]
seed = [1, 0]
[[cells]]
architecture = "deit_nano_patch4_32"
spatial_prior = "convit"
[[evaluation]]
sets = "original"
)");
  expect_sound(grid);
  EXPECT_THAT(cell_texts(grid),
              ElementsAre("mixer_nano_patch4_32 none relabel 1",
                          "mixer_nano_patch4_32 none relabel 0", "mixer_nano_patch4_32 none none 1",
                          "mixer_nano_patch4_32 none none 0", "deit_nano_patch4_32 none relabel 1",
                          "deit_nano_patch4_32 none relabel 0", "deit_nano_patch4_32 none none 1",
                          "deit_nano_patch4_32 none none 0", "deit_nano_patch4_32 convit none 0"));
}

TEST(Grid, CellsAreFullyResolved) {
  const Grid grid = grid_of(R"(
[labeler.saliency]
input_size = 64
[labeler.blunt]
kind = "relabel"
top_k = 1
distance = "l1"
[[cells]]
architecture = "deit_nano_patch4_32"
labeler = ["saliency", "blunt", "relabel", "none"]
[[evaluation]]
sets = ["original"]
)");
  ASSERT_EQ(grid.cells.size(), 4u);
  EXPECT_EQ(grid.cells[0].labeler, make_labeler_spec("saliency", {{"input_size", 64}}));
  EXPECT_EQ(grid.cells[0].distance, "l1");
  EXPECT_EQ(grid.cells[1].labeler, make_labeler_spec("relabel", {{"top_k", 1}}));
  EXPECT_EQ(grid.cells[1].labeler_name, "blunt");
  EXPECT_EQ(grid.cells[1].distance, "l1");
  EXPECT_EQ(grid.cells[2].distance, "cosine");
  EXPECT_TRUE(grid.cells[3].labeler == std::nullopt);
  EXPECT_EQ(grid.cells[3].distance, "");
  for (const Cell& cell : grid.cells) {
    EXPECT_EQ(cell.dataset,
              make_dataset_spec("fashion-bg", {{"train_images", 200}, {"test_images", 50}}));
    EXPECT_EQ(cell.dataset_name, "clothes");
    EXPECT_EQ(cell.recipe_name, "short");
    EXPECT_EQ(cell.recipe.epochs, 5);
    EXPECT_EQ(cell.recipe.shard_size, 16);
    EXPECT_NO_THROW(require_known_versions(cell));
  }
}

TEST(Grid, EvaluationEntriesAddUp) {
  const Grid grid = grid_of(R"(
[[cells]]
architecture = "deit_nano_patch4_32"
labeler = ["none", "saliency"]
[[evaluation]]
sets = ["original", "mixed_rand"]
[[evaluation]]
labeler = "none"
sets = ["no_fg", "original"]
)");
  std::map<std::string, std::vector<std::string>> sets;
  for (const Task& task : grid.tasks) {
    if (task.kind == TaskKind::kEvaluate) sets[task.cell_id].push_back(task.spec["eval_set"]);
  }
  EXPECT_THAT(sets[grid.cells[0].id()], ElementsAre("original", "mixed_rand", "no_fg"));
  EXPECT_THAT(sets[grid.cells[1].id()], ElementsAre("original", "mixed_rand"));
}

// How a set is looked at belongs to its evaluation: the cell stays, and both ways stand side by
// side.
TEST(Grid, ASetMayBeEvaluatedAsReleased) {
  const std::string cells = "[[cells]]\narchitecture = \"deit_nano_patch4_32\"\n";
  const std::string whole = "[[evaluation]]\nsets = [\"original\"]\n";
  const Grid before = grid_of(cells + whole);
  const Grid both = grid_of(cells + whole + whole + "evaluation = \"released\"\n");
  expect_sound(both);
  EXPECT_EQ(both.cells[0].id(), before.cells[0].id());
  ASSERT_EQ(both.tasks.size(), before.tasks.size() + 1);
  EXPECT_EQ(both.tasks[2].id(), before.tasks[2].id());
  const Json& spec = both.tasks.back().spec;
  EXPECT_EQ(spec.at("eval_set"), "original@released");
  EXPECT_EQ(spec.at("split"), "original");
  EXPECT_EQ(spec.at("transform"), "released");
  EXPECT_FALSE(spec.contains("dataset"));
  EXPECT_EQ(grid_of(cells + whole + "evaluation = \"whole\"\n").tasks[2].id(),
            before.tasks[2].id());
  EXPECT_THAT(input_error([&] { grid_of(cells + whole + "evaluation = \"relased\"\n"); }),
              ::testing::HasSubstr("did you mean 'released'"));
}

// Maps of the cell's own set are those of older versions; of models whose patches vote, and of
// other data sets, they are drawn otherwise now.
TEST(Grid, SaliencyThatIsDrawnOtherwiseIsAnotherTask) {
  const Json plain = {{"recipe", Json::object()}},
             votes = {{"recipe", {{"token_labeling", "original"}}}};
  const SaliencySpec spec{{"original", "original"}, {.count = 8}};
  const Json own = spec_json(spec, plain);
  EXPECT_EQ(own, (Json{{"kind", "saliency"},
                       {"cell", plain},
                       {"eval_set", "original"},
                       {"images", {{"count", 8}, {"seed", 0}}},
                       {"version", 1}}));
  EXPECT_EQ(spec_json(spec, votes).at("version"), 2);
  const SaliencySpec other{{"shifted/val", "val", DatasetSpec{{"imported"}}}, spec.images};
  const Json elsewhere = spec_json(other, plain);
  EXPECT_EQ(elsewhere.at("version"), 2);
  EXPECT_EQ(elsewhere.at("split"), "val");
  EXPECT_EQ(spec_json(saliency_spec(elsewhere), plain), elsewhere);
}

TEST(Grid, ThePapersRecipeIsOneWord) {
  // A step of it takes 256 images.
  std::string head = kHead;
  head.replace(head.find("train_images = 200"), 18, "train_images = 400");
  const auto wide_grid = [&](const std::string& text) {
    return parse_grid(head + text, "small.toml");
  };
  const std::string rest = "\n[[evaluation]]\nsets = \"original\"\n";
  const std::string cells = "[[cells]]\narchitecture = \"deit_nano_patch4_32\"\nrecipe = ";
  const Grid by_name = wide_grid(cells + "\"paper\"" + rest);
  const Recipe& recipe = by_name.cells[0].recipe;
  EXPECT_EQ(recipe, paper_recipe());
  EXPECT_TRUE(recipe.random_resized_crop);
  EXPECT_EQ(recipe.rand_augment, "rand-m9-mstd0.5-inc1");
  EXPECT_EQ(recipe.random_erasing, 0.25);
  EXPECT_EQ(recipe.repeated_augmentation, 3);
  EXPECT_EQ(by_name.cells[0].recipe_name, "paper");
  // Keys change it, wherever they stand.
  const Grid changed =
      wide_grid("[recipe.mine]\nepochs = 7\npreset = \"paper\"\n" + cells + "\"mine\"" + rest);
  Recipe seven = paper_recipe();
  seven.epochs = 7;
  EXPECT_EQ(changed.cells[0].recipe, seven);
  EXPECT_THAT(input_error([&] {
                wide_grid("[recipe.mine]\npreset = \"papre\"\n" + cells + "\"mine\"" + rest);
              }),
              ::testing::HasSubstr("did you mean 'paper'"));
  // A grid's own section of that name is what counts.
  EXPECT_EQ(
      wide_grid("[recipe.paper]\nepochs = 9\n" + cells + "\"paper\"" + rest).cells[0].recipe.epochs,
      9);
}

TEST(Grid, ARecipeSaysWhatIsOn) {
  EXPECT_EQ(recipe_text(paper_recipe()),
            "300 epochs of 4 x 64 images, RandomResizedCrop, rand-m9-mstd0.5-inc1, erasing 0.25, "
            "repeated augmentation 3, flip 0.5, Mixup 0.8, CutMix 1, label smoothing 0.1, "
            "stochastic depth 0.1 (the paper's)");
  EXPECT_THAT(recipe_text(Recipe()), ::testing::HasSubstr("; no augmentation of images"));
  Recipe once;
  once.epochs = 1;
  EXPECT_THAT(recipe_text(once), ::testing::StartsWith("1 epoch of 4 x 64 images"));
  Recipe released = paper_recipe();
  released.label_mix = "logits";
  released.cutmix_box = "patches";
  released.erased_labels = "kept";
  EXPECT_THAT(recipe_text(released),
              ::testing::HasSubstr("ReLabel mixed as logits, ReLabel cut by whole patches, ReLabel "
                                   "kept under erasing"));
}

TEST(Grid, EveryRecipeOfItsCellsHasALine) {
  const Grid grid = grid_of(
      "[recipe.mine]\nepochs = 7\nshard_size = 2\n[recipe.idle]\nepochs = 8\n"
      "[recipe.other]\nepochs = 9\nshard_size = 2\n[[cells]]\narchitecture = "
      "\"deit_nano_patch4_32\"\nrecipe = [\"other\", \"mine\"]\nseed = [1, 2]\n"
      "[[evaluation]]\nsets = \"original\"\n");
  const auto lines = recipe_lines(grid);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_THAT(lines[0], ::testing::StartsWith("recipe other: 9 epochs of 4 x 2 images"));
  EXPECT_THAT(lines[1], ::testing::StartsWith("recipe mine: 7 epochs of 4 x 2 images"));
}

// The same model under two names is one cell, trained once.
TEST(Grid, DeitSmallConvitIsDeitSmallWithThePrior) {
  const std::string rest = "\n[[evaluation]]\nsets = \"original\"\n";
  const Grid by_name = grid_of("[[cells]]\narchitecture = \"deit_small_convit\"" + rest);
  const Grid by_prior = grid_of(
      "[[cells]]\narchitecture = \"deit_small_patch16_224\"\nspatial_prior = \"convit\"" + rest);
  EXPECT_EQ(by_name.cells[0].id(), by_prior.cells[0].id());
}

TEST(Grid, ANewEvaluationSetChangesNoOtherTask) {
  const auto ids = [](const char* sets) {
    std::set<std::string> ids;
    for (const Task& task :
         grid_of(std::string("[[cells]]\narchitecture = \"deit_nano_patch4_32\"\n"
                             "labeler = \"saliency\"\n[[evaluation]]\nsets = ") +
                 sets)
             .tasks) {
      ids.insert(task.id());
    }
    return ids;
  };
  const auto before = ids("[\"original\"]"), after = ids("[\"no_fg\", \"original\"]");
  EXPECT_EQ(after.size(), before.size() + 2);  // one label task, one evaluation
  EXPECT_TRUE(std::includes(after.begin(), after.end(), before.begin(), before.end()));
}

// TokenLabeling on a plain model: labels are its targets, and evaluation needs none.
constexpr const char* kTwoCells = R"(
[[cells]]
architecture = "deit_nano_patch4_32"
labeler = ["none", "bbox_grabcut"]
[[evaluation]]
sets = ["mixed_same"]
)";

TEST(Grid, EveryCellDrawsTheSameImages) {
  const Grid without = grid_of(kTwoCells);
  const Grid with =
      grid_of(std::string(kTwoCells) + "[saliency]\nset = \"original\"\ncount = 6\nseed = 3\n");
  expect_sound(with);
  std::set<std::string> old_ids, labels;
  for (const Task& task : without.tasks) old_ids.insert(task.id());
  std::vector<Task> drawn;
  for (const Task& task : with.tasks) {
    old_ids.erase(task.id());
    if (task.kind == TaskKind::kSaliency) drawn.push_back(task);
    if (task.kind == TaskKind::kLabel && task.spec["split"] == "original") labels.insert(task.id());
  }
  EXPECT_TRUE(old_ids.empty()) << "saliency changed another task";
  ASSERT_EQ(drawn.size(), 2u);
  for (const Task& task : drawn) {
    EXPECT_EQ(task.spec["images"], (Json{{"count", 6}, {"seed", 3}}));
    EXPECT_EQ(task.spec["eval_set"], "original");
  }
  // Plain: images and model. ReMixer: the set's labels as well, which nothing else asks for here.
  EXPECT_EQ(drawn[0].dependencies.size(), 2u);
  ASSERT_EQ(drawn[1].dependencies.size(), 3u);
  EXPECT_EQ(labels, (std::set<std::string>{drawn[1].dependencies[2]}));
  EXPECT_EQ(drawn[0].title, "saliency original · deit_nano_patch4_32 · none · seed 0");
}

TEST(Grid, SaliencyImagesMayBeNamed) {
  const Grid grid = grid_of(std::string(kTwoCells) +
                            "[saliency]\nset = \"original\"\nimages = [\"a.png\", \"b.png\"]\n");
  EXPECT_EQ(grid.tasks.back().spec["images"], (Json{"a.png", "b.png"}));
}

TEST(Grid, SaliencyMistakesAreNamed) {
  const auto expect = [](const std::string& saliency, const std::string& what) {
    EXPECT_THAT(input_error([&] { grid_of(kTwoCells + ("[saliency]\n" + saliency)); }),
                HasSubstr(what));
  };
  expect("count = 3\n", "needs set");
  expect("set = \"original\"\n", "images = [...], or count = N");
  expect("set = \"original\"\ncount = 3\nimages = [\"a\"]\n", "not both");
  expect("set = \"original\"\ncount = 0\n", "small.toml:20: [saliency] draws 0 images");
  expect("set = \"original\"\ncount = 65\n", "1 to 64");
  expect("set = \"original\"\nimages = []\n", "empty list");
  expect("set = \"original\"\nimages = [\"a\", \"a\"]\n", "twice");
  expect("set = \"original\"\nimages = [\"a\"]\nseed = 1\n", "seed goes with count");
  expect("set = \"orginal\"\ncount = 3\n", "did you mean 'original'");
  expect("set = \"original\"\ncuont = 3\n", "did you mean 'count'");
}

TEST(Grid, LabelsMayBeTargetsAlone) {
  const Grid grid = grid_of(R"(
[recipe.tokens]
shard_size = 16
token_labeling = "oamixer"
[labeler.targets]
kind = "relabel"
distance = "none"
[[cells]]
architecture = "deit_nano_patch4_32"
recipe = "tokens"
labeler = ["targets", "relabel"]
[[evaluation]]
sets = ["original", "mixed_rand"]
)");
  expect_sound(grid);
  EXPECT_FALSE(grid.cells[0].is_remixer());
  EXPECT_TRUE(grid.cells[1].is_remixer());
  EXPECT_NE(grid.cells[0].id(), grid.cells[1].id());
  std::map<std::string, int> dependencies;
  for (const Task& task : grid.tasks) {
    dependencies[task.title] = static_cast<int>(task.dependencies.size());
  }
  EXPECT_EQ(dependencies["train deit_nano_patch4_32 · targets · seed 0"], 2);
  EXPECT_EQ(dependencies["evaluate mixed_rand · deit_nano_patch4_32 · targets · seed 0"], 2);
  EXPECT_EQ(dependencies["evaluate mixed_rand · deit_nano_patch4_32 · relabel · seed 0"], 3);
  EXPECT_EQ(dependencies.count("label clothes · mixed_rand · targets"), 0u);
}

TEST(Grid, PrecisionIsAnAxis) {
  const Grid grid = grid_of(R"(
[[cells]]
architecture = "deit_nano_patch4_32"
precision = ["fp32", "bf16"]
[[evaluation]]
sets = "original"
)");
  ASSERT_EQ(grid.cells.size(), 2u);
  EXPECT_EQ(grid.cells[1].precision, "bf16");
  EXPECT_EQ(titles(grid)[1], "train deit_nano_patch4_32 · none · seed 0");
  EXPECT_EQ(titles(grid)[3], "train deit_nano_patch4_32 · none · bf16 · seed 0");
}

TEST(Quickstart, HasFifteenCells) {
  const Grid grid = read_grid(REMIXER_QUICKSTART, "");
  expect_sound(grid);
  ASSERT_EQ(grid.cells.size(), 15u);
  EXPECT_EQ(cell_texts(grid)[0], "deit_nano_patch4_32 none none 0");
  EXPECT_EQ(cell_texts(grid)[7], "mixer_nano_patch4_32 none bbox_grabcut 0");
  EXPECT_EQ(cell_texts(grid)[13], "deit_nano_patch4_32 convit relabel 0");
  EXPECT_EQ(cell_texts(grid)[14], "convmixer_nano_patch4_32_full none none 0");
  std::map<TaskKind, int> count;
  for (const Task& task : grid.tasks) ++count[task.kind];
  EXPECT_EQ(count[TaskKind::kPrepare], 1);
  EXPECT_EQ(count[TaskKind::kLabel], 2 * (1 + 5) + (1 + 8));  // two networks, GrabCut
  EXPECT_EQ(count[TaskKind::kTrain], 15);
  EXPECT_EQ(count[TaskKind::kEvaluate], (5 + 3) * 8 + (3 + 4) * 5);  // none and GrabCut; networks
  // The first row needs no label: nothing stands between the dataset and its training.
  EXPECT_EQ(grid.tasks[1].kind, TaskKind::kTrain);
}

}  // namespace
}  // namespace remixer::experiments
