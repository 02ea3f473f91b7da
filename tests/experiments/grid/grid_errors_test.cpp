// SPDX-License-Identifier: Apache-2.0
// Every way to write a grid wrong, and the line and advice that it gets.

#include "experiments/grid/grid.h"
#include "tests/experiments/expect_error.h"

namespace remixer::experiments {
namespace {

using ::testing::StartsWith;

// A grid that is right; each test puts one line of it wrong.
const std::vector<std::string> kGood{
    "name = \"g\"",                            // 1
    "[dataset.clothes]",                       // 2
    "builder = \"fashion-bg\"",                // 3
    "train_images = 2000",                     // 4
    "[labeler.saliency]",                      // 5
    "input_size = 64",                         // 6
    "[recipe.short]",                          // 7
    "epochs = 5",                              // 8
    "[[cells]]",                               // 9
    "architecture = \"deit_nano_patch4_32\"",  // 10
    "labeler = [\"none\", \"saliency\"]",      // 11
    "seed = 0",                                // 12
    "[[evaluation]]",                          // 13
    "sets = [\"original\", \"mixed_rand\"]",   // 14
};

std::string text_with(int line, const std::string& replacement) {
  std::string text;
  for (int i = 0; i < static_cast<int>(kGood.size()); ++i) {
    text += (i + 1 == line ? replacement : kGood[i]) + "\n";
  }
  return text;
}

struct Case {
  int line;                 // that is replaced
  const char* replacement;  // may hold several lines
  const char* message;      // how it must begin
};

class GridError : public ::testing::TestWithParam<Case> {};

TEST_P(GridError, NamesLineAndRemedy) {
  const std::string text = text_with(GetParam().line, GetParam().replacement);
  const std::string message = input_error([&] { parse_grid(text, "g.toml"); });
  EXPECT_THAT(message, StartsWith(GetParam().message));
  EXPECT_EQ(message.find('\n'), std::string::npos);
}

TEST(GridErrors, TheGridWithoutErrorsPasses) {
  EXPECT_EQ(parse_grid(text_with(0, ""), "g.toml").cells.size(), 2u);
}

INSTANTIATE_TEST_SUITE_P(Text, GridError,
                         ::testing::Values(Case{8, "epochs = ", "g.toml:8: "},
                                           Case{4, "train_images = 200\ntrain_images = 300",
                                                "g.toml:5: "},
                                           Case{2, "[dataset.clothes", "g.toml:2: "},
                                           Case{4, "train_images = t", "g.toml:4: "},
                                           Case{11, "labeler = \"no\\nne\"", "g.toml:11: "}));

INSTANTIATE_TEST_SUITE_P(
    Top, GridError,
    ::testing::Values(
        Case{1, "", "g.toml:1: the grid has no name: begin with name = \"...\""},
        Case{1, "name = 3", "g.toml:1: name must be text in quotes"},
        Case{1, "name = \"../g\"", "g.toml:1: name '../g' may hold letters"},
        Case{1, "name = \"g\"\ndescripton = \"x\"",
             "g.toml:2: unknown key 'descripton'; did you mean 'description'?"},
        Case{7, "[recipes.short]", "g.toml:7: unknown key 'recipes'; did you mean 'recipe'?"},
        Case{9, "[cells]", "g.toml:9: write [[cells]], in double brackets"},
        Case{13, "[evaluation]", "g.toml:13: write [[evaluation]], in double brackets"},
        Case{1, "name = \"g\"\ncells = []", "g.toml:"}));

INSTANTIATE_TEST_SUITE_P(
    Dataset, GridError,
    ::testing::Values(
        Case{3, "builder = \"fashion-gb\"",
             "g.toml:3: unknown dataset builder 'fashion-gb'; did you mean 'fashion-bg'?"},
        Case{3, "", "g.toml:2: [dataset.clothes] needs builder = \"...\""},
        Case{4, "train_image = 200",
             "g.toml:4: dataset.clothes: unknown key 'train_image'; did you mean 'train_images'?"},
        Case{4, "train_images = \"200\"",
             "g.toml:4: dataset fashion-bg.train_images must be an integer, not a string"},
        Case{4, "train_images = 1",
             "g.toml:4: dataset fashion-bg.train_images is 1; it must be at least 10"},
        Case{4, "train_images = [1, 2]",
             "g.toml:4: dataset.clothes.train_images must be one number, text or true/false"},
        Case{2, "[dataset.\"my clothes\"]", "g.toml:2: [dataset.my clothes]: a name may hold"}));

INSTANTIATE_TEST_SUITE_P(
    Labeler, GridError,
    ::testing::Values(
        Case{5, "[labeler.salience]",
             "g.toml:5: unknown labeler 'salience'; did you mean 'saliency'?"},
        Case{5, "[labeler.mine]\nkind = \"salience\"",
             "g.toml:6: unknown labeler 'salience'; did you mean 'saliency'?"},
        Case{5, "[labeler.none]", "g.toml:5: labeler 'none' has nothing to set"},
        Case{6, "input_sice = 64",
             "g.toml:6: labeler.saliency: unknown key 'input_sice'; did you mean 'input_size'?"},
        Case{6, "input_size = 4",
             "g.toml:6: labeler saliency.input_size is 4; it must be at least 32"},
        Case{5, "[labeler.bigbigan]\n[labeler.saliency]",
             "g.toml:5: labeler 'bigbigan' works with weights of your own"},
        Case{6, "kind = \"imported_maps\"\nlabels_sha256 = \"abc\"",
             "g.toml:7: labeler 'imported_maps' works with maps of your own"},
        Case{11, "labeler = [\"none\", \"u2net\"]",
             "g.toml:11: labeler 'u2net' works with weights of your own: write [labeler.u2net]"},
        Case{6, "distance = \"cosin\"",
             "g.toml:6: unknown distance 'cosin'; did you mean 'cosine'?"}));

INSTANTIATE_TEST_SUITE_P(
    Recipe, GridError,
    ::testing::Values(
        Case{8, "epochs = 1\nlearnign_rate = 1e-3",
             "g.toml:9: recipe.short: unknown key 'learnign_rate'; did you mean 'learning_rate'?"},
        Case{8, "epochs = 3",
             "g.toml:7: recipe 'short' warms up for 5 epochs (the default) and ends after 3"},
        Case{8, "epochs = 8\nwarmup_epochs = 9",
             "g.toml:9: recipe 'short' warms up for 9 epochs and ends after 8"},
        Case{4, "train_images = 200",
             "g.toml:9: a step of recipe 'short' takes 256 images (4 shards of 64), but 'clothes' "
             "has 200 to train on"},
        Case{8, "epochs = 5\nhold_out = 0.9",
             "g.toml:10: a step of recipe 'short' takes 256 images (4 shards of 64), but 'clothes' "
             "has 200 to train on"},
        Case{8, "epochs = 5\nhold_out = 1e-4",
             "g.toml:10: recipe 'short' holds out 0.0001 of the 2000 training images of 'clothes', "
             "which leaves none to measure"},
        Case{8, "epochs = 0", "g.toml:8: recipe.epochs is 0; it must be at least 1"},
        Case{8, "epochs = 1.5", "g.toml:8: recipe.epochs must be an integer, not a number"},
        Case{8, "mixup = nan", "g.toml:8: recipe.mixup is not a finite number"},
        Case{8, "schedule_unit = \"steps\"",
             "g.toml:8: recipe.schedule_unit: unknown value 'steps'; did you mean 'step'?"},
        Case{8, "token_labeling = \"original\"",
             "g.toml:7: recipe.token_labeling 'original' mixes by"},
        Case{8, "token_labeling = \"oamixer\"",
             "g.toml:9: recipe 'short' has token_labeling, whose targets are patch labels"},
        Case{8, "version = 2", "g.toml:8: recipe.short: unknown key 'version'"}));

INSTANTIATE_TEST_SUITE_P(
    Cells, GridError,
    ::testing::Values(
        Case{10, "architecture = \"deit_nano\"",
             "g.toml:10: unknown architecture 'deit_nano'; did you mean 'deit_nano_patch4_32'?"},
        Case{10, "architecture = [\"mixer_nano_patch4_32\",\n\"deit_naon_patch4_32\"]",
             "g.toml:11: unknown architecture 'deit_naon_patch4_32'; did you mean "
             "'deit_nano_patch4_32'?"},
        Case{10, "", "g.toml:9: [[cells]] needs architecture = ..."},
        Case{10, "architecture = []", "g.toml:10: architecture is an empty list"},
        Case{10, "architecture = 3", "g.toml:10: architecture must be text in quotes"},
        Case{10, "architecture = \"deit_nano_patch4_32\"\narchitectures = 1",
             "g.toml:11: cells: unknown key 'architectures'; did you mean 'architecture'?"},
        Case{11, "labeler = [\"none\", \"salienzy\"]",
             "g.toml:11: unknown labeler 'salienzy'; did you mean 'saliency'?"},
        Case{12, "precision = \"fp61\"",
             "g.toml:12: unknown precision 'fp61'; did you mean 'fp16'?"},
        Case{12, "seed = -1", "g.toml:12: seed is -1; it must be at least 0"},
        Case{12, "seed = \"0\"", "g.toml:12: seed must be an integer"},
        Case{12, "spatial_prior = \"convits\"",
             "g.toml:12: unknown spatial_prior 'convits'; did you mean 'convit'?"},
        Case{12, "dataset = \"cloth\"",
             "g.toml:12: unknown dataset 'cloth'; did you mean 'clothes'?"},
        Case{12, "recipe = \"long\"", "g.toml:12: unknown recipe 'long'; known are: short"},
        Case{7, "[recipe.long]\n[recipe.short]", "g.toml:10: [[cells]] needs recipe = ..."},
        Case{10, "architecture = \"mixer_nano_patch4_32\"\nspatial_prior = [\"none\", \"convit\"]",
             "g.toml:11: spatial_prior 'convit' goes with DeiT only, not with "
             "'mixer_nano_patch4_32'"},
        Case{10, "architecture = \"convit_small\"\nspatial_prior = \"convit\"",
             "g.toml:11: spatial_prior 'convit' goes with DeiT only"}));

INSTANTIATE_TEST_SUITE_P(
    Duplicates, GridError,
    ::testing::Values(
        Case{12, "seed = [0, 1, 0]", "g.toml:12: seed lists '0' twice"},
        Case{13, "[[cells]]\narchitecture = \"deit_nano_patch4_32\"\n[[evaluation]]",
             "g.toml:13: the cell deit_nano_patch4_32 · none · seed 0 is there already, by the "
             "[[cells]] "
             "block of line 9"},
        // Another name for the same labels is the same cell.
        Case{11,
             "labeler = [\"saliency\", \"twin\"]\n[labeler.twin]\nkind = \"saliency\"\ninput_size "
             "= 64\n"
             "[[cells]]\narchitecture = \"mixer_nano_patch4_32\"",
             "g.toml:9: the cell deit_nano_patch4_32 · twin · seed 0 is there already"}));

INSTANTIATE_TEST_SUITE_P(
    Evaluation, GridError,
    ::testing::Values(
        Case{14, "sets = [\"original\", \"mixed_rant\"]",
             "g.toml:14: unknown evaluation set 'mixed_rant'; did you mean 'mixed_rand'?"},
        Case{14, "sets = [\"original\", \"original\"]",
             "g.toml:14: evaluation set lists 'original' twice"},
        Case{14, "", "g.toml:13: [[evaluation]] needs sets = [...]"},
        Case{14, "sets = [\"original\"]\nlabelers = [\"none\"]",
             "g.toml:15: evaluation: unknown key 'labelers'; did you mean 'labeler'?"},
        Case{14, "sets = [\"original\"]\nlabeler = \"nome\"",
             "g.toml:15: unknown labeler 'nome'; did you mean 'none'?"},
        Case{14, "sets = [\"original\"]\nlabeler = \"none\"",
             "g.toml:9: nothing evaluates the cells with labeler 'saliency'"},
        Case{14, "sets = [\"original\"]\n[[evaluation]]\nsets = \"no_fg\"\nlabeler = \"relabel\"",
             "g.toml:17: no cell has the labeler 'relabel'"}));

TEST(GridErrors, TokenLabelingNeedsLabelsOfClasses) {
  std::string text = text_with(8, "token_labeling = \"oamixer\"");
  text.replace(text.find("[\"none\", \"saliency\"]"), 20, "\"saliency\"");
  EXPECT_EQ(
      input_error([&] { parse_grid(text, "g.toml"); }),
      "g.toml:9: recipe 'short' has token_labeling, but labeler 'saliency' does not say classes; "
      "use relabel");
}

TEST(GridErrors, LabelsForNothingAreRefused) {
  std::string text =
      text_with(5, "[labeler.blank]\nkind = \"relabel\"\ndistance = \"none\"\n[labeler.saliency]");
  text.replace(text.find("[\"none\", \"saliency\"]"), 20, "\"blank\"");
  EXPECT_EQ(
      input_error([&] { parse_grid(text, "g.toml"); }),
      "g.toml:12: labeler 'blank' has distance \"none\", but recipe 'short' has no token_labeling: "
      "its labels would be used for nothing");
}

TEST(GridErrors, MissingPartsAreNamed) {
  EXPECT_EQ(input_error([] { parse_grid("", "g.toml"); }),
            "g.toml:1: the grid has no name: begin with name = \"...\"");
  EXPECT_EQ(input_error([] { parse_grid("name = \"g\"", "g.toml"); }),
            "g.toml:1: nothing to run: there is no [[cells]] block");
  EXPECT_EQ(input_error([] {
              parse_grid("name = \"g\"\n[[cells]]\narchitecture = \"mixer_s16_224\"", "g.toml");
            }),
            "g.toml:2: [[cells]] needs dataset = ..., and the file a [dataset.NAME]");
}

TEST(GridErrors, MissingFileIsNamed) {
  EXPECT_THAT(input_error([] { read_grid("/nowhere/g.toml", ""); }),
              ::testing::HasSubstr("/nowhere/g.toml"));
}

}  // namespace
}  // namespace remixer::experiments
