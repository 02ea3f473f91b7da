// SPDX-License-Identifier: Apache-2.0
// The paper's grids hold every cell and evaluation that its tables show, with nothing else to be
// there than the grid files.
#include <map>
#include <set>

#include "base/file.h"
#include "experiments/grid/grid.h"
#include "experiments/spec/components.h"
#include "experiments/spec/imported.h"
#include "experiments/spec/pins.h"
#include "tests/experiments/expect_error.h"
#include "tests/support/program.h"

namespace remixer::experiments {
namespace {

using ::testing::HasSubstr;

const std::vector<std::string> kChallenge = {"original", "only_bg_b", "only_fg", "mixed_same",
                                             "mixed_rand"};
const std::vector<std::string> kShifted = {"original",    "imagenetv2_9", "real_9",
                                           "rendition_9", "stylized_9",   "sketch_9"};
const std::vector<std::string> kFamilies = {"deit_small_patch16_224", "mixer_s16_224",
                                            "convmixer_512_8"};
// What stands for each column of labels, as kind of labeler.
const std::string kPlain = "none", kBigBiGan = "bigbigan", kReLabel = "script_relabel",
                  kBoxes = "bbox_grabcut";

struct Needed {
  std::string table, architecture, prior, labeler;
  std::vector<std::string> sets;
};

// Table by table, as the paper prints them.
std::vector<Needed> needed_on_imagenet9() {
  std::vector<Needed> needed;
  for (const std::string& architecture : kFamilies) {
    for (const std::string& labeler : {kPlain, kBigBiGan, kReLabel, kBoxes}) {
      needed.push_back({"1", architecture, "none", labeler, kChallenge});
    }
    needed.push_back({"3", architecture, "none", kReLabel, {}});
    for (const std::string& labeler : {kPlain, kBigBiGan}) {
      needed.push_back({"5", architecture, "none", labeler, kShifted});
    }
  }
  for (const char* prior : {"none", "convit"}) {
    for (const std::string& labeler : {kPlain, kBigBiGan, kReLabel, kBoxes}) {
      needed.push_back({"2", "deit_small_patch16_224", prior, labeler, kChallenge});
    }
  }
  needed.push_back({"7", "convmixer_512_8", "none", kPlain, kChallenge});
  needed.push_back({"7", "convmixer_512_8", "none", kReLabel, kChallenge});
  needed.push_back({"7", "convmixer_512_8_full", "none", kPlain, kChallenge});
  return needed;
}

// Evaluation sets by cell; of each seed its own.
class PaperGrid {
 public:
  explicit PaperGrid(const std::string& name)
      : outlined(outline_grid(fs::path(REMIXER_PAPER_GRIDS) / (name + ".toml"), "/no/workspace")) {
    for (const Task& task : outlined.grid.tasks) {
      if (task.kind == TaskKind::kEvaluate) sets_[task.cell_id].insert(task.spec.at("eval_set"));
    }
  }

  // Of each seed, whether there is such a cell with these sets.
  std::map<int64_t, bool> seeds_with(const Needed& needed) const {
    std::map<int64_t, bool> found;
    for (const Cell& cell : outlined.grid.cells) {
      const std::string labeler = cell.labeler ? cell.labeler->name : kPlain;
      if (cell.architecture != needed.architecture || cell.spatial_prior != needed.prior ||
          labeler != needed.labeler) {
        continue;
      }
      const auto& sets = sets_.at(cell.id());
      found[cell.seed] = std::all_of(needed.sets.begin(), needed.sets.end(),
                                     [&](const std::string& set) { return sets.contains(set); });
    }
    return found;
  }

  OutlinedGrid outlined;

 private:
  std::map<std::string, std::set<std::string>> sets_;
};

TEST(PaperGrids, HoldEveryCellOfTheTables) {
  const PaperGrid grid("imagenet9");
  for (const Needed& needed : needed_on_imagenet9()) {
    EXPECT_EQ(grid.seeds_with(needed), (std::map<int64_t, bool>{{0, true}, {1, true}, {2, true}}))
        << "Table " << needed.table << ": " << needed.architecture << " " << needed.prior << " "
        << needed.labeler;
  }
  // Shared between the tables, and no more than those.
  EXPECT_EQ(grid.outlined.grid.cells.size(), 17u * 3);
}

TEST(PaperGrids, HoldTable6) {
  const PaperGrid grid("imagenet");
  ASSERT_EQ(grid.outlined.grid.cells.size(), 4u);
  std::set<std::pair<std::string, bool>> cells;
  std::set<std::string> label_tasks;
  for (const Cell& cell : grid.outlined.grid.cells) {
    EXPECT_EQ(cell.recipe.token_labeling, "oamixer");
    EXPECT_EQ(cell.labeler->name, "imported_maps");
    cells.emplace(cell.architecture, cell.is_remixer());
  }
  EXPECT_EQ(cells, (std::set<std::pair<std::string, bool>>{{"deit_base_patch16_224", false},
                                                           {"deit_base_patch16_224", true},
                                                           {"deit_small_patch16_224", false},
                                                           {"deit_small_patch16_224", true}}));
  ASSERT_EQ(grid.outlined.file.missing.size(), 2u) << "the data set, and the maps once";
  for (const Task& task : grid.outlined.grid.tasks) {
    if (task.kind == TaskKind::kLabel) label_tasks.insert(task.spec.at("split"));
  }
  EXPECT_EQ(label_tasks, (std::set<std::string>{"train", "val"})) << "one file of each for both";
}

TEST(PaperGrids, TrainByTheFullRecipe) {
  for (const char* name : {"imagenet9", "imagenet"}) {
    const PaperGrid grid(name);
    for (const Cell& cell : grid.outlined.grid.cells) {
      const Recipe& recipe = cell.recipe;
      EXPECT_EQ(recipe.epochs, 300);
      EXPECT_EQ(recipe.shards, 4);
      EXPECT_EQ(recipe.shard_size, 64);
      EXPECT_DOUBLE_EQ(recipe.learning_rate * 256 / static_cast<double>(recipe.learning_rate_batch),
                       2.5e-4);
      EXPECT_EQ(recipe.warmup_epochs, 5);
      EXPECT_EQ(recipe.repeated_augmentation, 3);
      EXPECT_EQ(recipe.rand_augment, "rand-m9-mstd0.5-inc1");
      EXPECT_EQ(recipe.random_erasing, 0.25);
      EXPECT_TRUE(recipe.random_resized_crop);
      EXPECT_EQ(cell.precision, "fp16");
    }
  }
}

// All that is missing at once, each with what brings it; nothing by ./setup, which brings none of
// it.
TEST(PaperGrids, SayWhatIsMissing) {
  const PaperGrid grid("imagenet9");
  std::set<std::string> names;
  for (const MissingInput& missing : grid.outlined.file.missing) {
    names.insert(missing.name);
    EXPECT_THAT(missing.command, HasSubstr("remixer ")) << missing.name;
    EXPECT_THAT(missing.command, ::testing::Not(HasSubstr("setup"))) << missing.name;
    EXPECT_NE(missing.source, "") << missing.name;
  }
  EXPECT_EQ(names, (std::set<std::string>{"imagenet9", "imagenetv2_9", "real_9", "rendition_9",
                                          "stylized_9", "sketch_9", "bigbigan", "dm_nfnet_f6"}));
  const std::string refused = input_error(
      [] { read_grid(fs::path(REMIXER_PAPER_GRIDS) / "imagenet9.toml", "/no/workspace"); });
  for (const std::string& name : names) EXPECT_THAT(refused, HasSubstr("'" + name + "'"));
  EXPECT_THAT(refused, HasSubstr("remixer plan"));
}

// Without the machines for NFNet-F6 one writes another labeler, and leaves the section there.
TEST(PaperGrids, SectionsThatNothingUsesAreNotMissing) {
  const fs::path file = fs::path(REMIXER_PAPER_GRIDS) / "imagenet9.toml";
  std::string text = read_file(file);
  const std::string used = "\"nfnet_f6\"", instead = "\"relabel\"";
  for (size_t at; (at = text.find(used)) != std::string::npos;) {
    text.replace(at, used.size(), instead);
  }
  text += "[dataset.sketches_of_before]\nbuilder = \"imported\"\n";
  const OutlinedGrid grid = outline_grid_text(text, "g.toml", "/no/workspace");
  std::set<std::string> names;
  for (const MissingInput& missing : grid.file.missing) names.insert(missing.name);
  EXPECT_EQ(names, (std::set<std::string>{"imagenet9", "imagenetv2_9", "real_9", "rendition_9",
                                          "stylized_9", "sketch_9", "bigbigan"}));
}

// convert.py imports numpy, which ./setup puts into .deps/python.
TEST(PaperGrids, ConvertWeightsWithThePackagesOfSetup) {
  for (const char* kind : {"bigbigan", "u2net"}) {
    EXPECT_THAT(pin_advice(kind, kind).command,
                ::testing::StartsWith("PYTHONPATH=.deps/python python3 "
                                      "labelcache/weights/convert.py --" +
                                      std::string(kind) + " "));
    EXPECT_THAT(pin_advice(kind, "mine").command,
                ::testing::EndsWith("-*.safetensors --name mine"));
  }
}

// A stand-in changes to the real thing by its content alone.
TEST(PaperGrids, PinsAreFoundByTheirNames) {
  const testing::ScratchFolder folder("pins");
  const fs::path workspace = folder.path();
  const auto grid = [&](const std::string& lines) {
    return parse_grid(
        "name = \"g\"\n[dataset.clothes]\nbuilder = \"fashion-bg\"\n[labeler.mine]\n" + lines +
            "\n[recipe.r]\n[[cells]]\narchitecture = \"deit_nano_patch4_32\"\n"
            "labeler = \"mine\"\n[[evaluation]]\nsets = [\"original\"]\n",
        "g.toml", workspace);
  };
  EXPECT_THAT(input_error([&] { grid("kind = \"bigbigan\"\npinned = \"unet\""); }),
              HasSubstr("g.toml:6: nothing is pinned as 'unet'"));
  const std::string hash(64, 'a');
  write_pin(workspace, "unet", {"bigbigan", "weights_sha256", hash});
  const Grid by_name = grid("kind = \"bigbigan\"\npinned = \"unet\"");
  const Grid by_hash = grid("kind = \"bigbigan\"\nweights_sha256 = \"" + hash + "\"");
  EXPECT_EQ(by_name.cells.at(0).id(), by_hash.cells.at(0).id());
  EXPECT_THAT(input_error([&] { grid("kind = \"u2net\"\npinned = \"unet\""); }),
              HasSubstr("g.toml:6: 'unet' is pinned for labeler 'bigbigan', not for 'u2net'"));
  EXPECT_THAT(input_error([&] {
                grid("kind = \"bigbigan\"\npinned = \"unet\"\nweights_sha256 = \"" + hash + "\"");
              }),
              HasSubstr("give one of them"));
  write_file_atomic(weights_folder(workspace) / "unet.pin.json", "{\"kind\": ");
  EXPECT_THAT(input_error([&] { grid("kind = \"bigbigan\"\npinned = \"unet\""); }),
              HasSubstr("unet.pin.json is torn"));
}

}  // namespace
}  // namespace remixer::experiments
