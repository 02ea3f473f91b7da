// SPDX-License-Identifier: Apache-2.0
// Filled with the paper's own numbers, the tables are the paper's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <set>

#include "reports/format.h"
#include "reports/paper_numbers.h"
#include "reports/report.h"
#include "tests/reports/study_database.h"

namespace remixer::reports {
namespace {

struct PaperModel {
  const char *architecture, *prior, *name;
};
constexpr PaperModel kModels[] = {
    {"deit_small_patch16_224", "none", "DeiT-S"},
    {"deit_small_patch16_224", "convit", "DeiT-S + ConViT"},
    {"mixer_s16_224", "none", "MLP-Mixer-S/16"},
    {"convmixer_512_8", "none", "ConvMixer-512/8"},
    {"convmixer_512_8_full", "none", "ConvMixer-512/8-Full"},
};

// An accuracy that the paper's figures follow from. They follow from each other as printed, but for
// one gap, 21.09 of 80.27 - 59.19: the latter was 59.185 then.
double accuracy(const PaperNumber& number) {
  const bool odd = number.table == "1" && number.model == "ConvMixer-512/8 + ReMixer" &&
                   number.labeler == "BigBiGAN" && number.column == "Mixed-Rand";
  return odd ? 59.185 : number.value;
}

const PaperNumber* number(const std::string& table, const std::string& model,
                          const std::string& labeler, const std::string& column) {
  for (const PaperNumber& each : paper_numbers()) {
    if (each.table == table && each.model == model && each.labeler == labeler &&
        each.column == column) {
      return &each;
    }
  }
  return nullptr;
}

class Paper : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const auto& [name, images] : kShifted) {
      shifted_.emplace(name, database_.import_dataset("our " + name, name, {{"val", images}}));
    }
    fill_imagenet9();
    fill_imagenet();
    report_ = make_report(database_.file(), {.grids = {"imagenet9", "imagenet"}, .paper = true});
  }

  void fill_imagenet9() {
    database_.begin_grid("imagenet9");
    for (const PaperModel& model : kModels) {
      for (const auto& [labeler, kind, called] :
           {std::tuple{"none", "", "-"}, std::tuple{"bigbigan", "bigbigan", "BigBiGAN"},
            std::tuple{"nfnet_f6", "script_relabel", "ReLabel"}}) {
        const std::string name = model.name + std::string(*kind != '\0' ? " + ReMixer" : "");
        const std::string cell = database_.add_cell({.architecture = model.architecture,
                                                     .labeler = labeler,
                                                     .spatial_prior = model.prior,
                                                     .train_set = "imagenet9",
                                                     .recipe = "paper",
                                                     .kind = kind,
                                                     .builder = "imagenet9"},
                                                    "done", kappa(name, called));
        add_accuracies(cell, name, called);
      }
    }
  }

  void add_accuracies(const std::string& cell, const std::string& name,
                      const std::string& labeler) {
    for (const char* table : {"1", "2", "7"}) {
      for (const auto& [column, set] :
           std::map<std::string, std::string>{{"Original", "original"},
                                              {"Only-BG-B", "only_bg_b"},
                                              {"Only-FG", "only_fg"},
                                              {"Mixed-Same", "mixed_same"},
                                              {"Mixed-Rand", "mixed_rand"}}) {
        const PaperNumber* found = number(table, name, labeler, column);
        if (!found || !done_.insert({cell, set}).second) continue;
        database_.add_figure(cell, set, accuracy(*found), 4050);
      }
    }
    for (const auto& [kind, images] : kShifted) {
      const PaperNumber* found = number("5", name, labeler, kHeadings.at(kind));
      if (!found) continue;
      database_.add_figure(cell, {"our " + kind, "val", shifted_.at(kind)}, accuracy(*found),
                           images);
    }
  }

  // Three layers a quarter, their mean the paper's.
  std::vector<double> kappa(const std::string& name, const std::string& labeler) const {
    std::vector<double> layers;
    if (labeler != "ReLabel") return layers;
    for (int quarter = 1; quarter <= 4; ++quarter) {
      const PaperNumber* found = number("3", name, "", fmt::format("Layer {}/4", quarter));
      if (!found) return {};
      layers.insert(layers.end(), {found->value * 0.5, found->value, found->value * 1.5});
    }
    return layers;
  }

  void fill_imagenet() {
    database_.begin_grid("imagenet");
    for (const auto& [architecture, name] :
         {std::pair{"deit_small_patch16_224", "DeiT-S"}, {"deit_base_patch16_224", "DeiT-B"}}) {
      for (const bool remixer : {false, true}) {
        const std::string cell =
            database_.add_cell({.architecture = architecture,
                                .labeler = remixer ? "nfnet_f6" : "nfnet_f6_targets",
                                .train_set = "imagenet",
                                .recipe = "tl",
                                .kind = "imported_maps",
                                .distance = remixer ? "cosine" : "none",
                                .token_labeling = "oamixer",
                                .builder = "imagenet"});
        const PaperNumber* found = number("6", name, "ReLabel", remixer ? "TL + ReMixer" : "TL");
        database_.add_figure(cell, "val", accuracy(*found), 50000);
      }
    }
  }

  static inline const std::map<std::string, int64_t> kShifted = {{"imagenetv2_9", 3700},
                                                                 {"real_9", 17545},
                                                                 {"rendition_9", 20000},
                                                                 {"stylized_9", 18500},
                                                                 {"sketch_9", 18800}};
  static inline const std::map<std::string, std::string> kHeadings = {
      {"imagenetv2_9", "ImageNetV2-9"},
      {"real_9", "ReaL-9"},
      {"rendition_9", "Rendition-9"},
      {"stylized_9", "Stylized-9"},
      {"sketch_9", "Sketch-9"}};
  StudyDatabase database_;
  std::map<std::string, Json> shifted_;
  std::set<std::pair<std::string, std::string>> done_;
  Report report_;
};

TEST_F(Paper, EveryCellOfTheSixNumericTablesIsThePapers) {
  std::set<const PaperNumber*> seen;
  for (const Table& table : report_.tables) {
    for (const Row& row : table.rows) {
      for (size_t c = 0; c < row.figures.size(); ++c) {
        const Figure& figure = row.figures[c];
        const PaperNumber* paper = find_paper_number(table, row, table.columns[c]);
        // Tables 1 and 5 have rows and figures that the paper's do not.
        if (!paper) continue;
        const std::string where = fmt::format("{}: {} | {} | {}", table.name, row.model, row.labels,
                                              table.columns[c].heading);
        EXPECT_TRUE(seen.insert(paper).second) << where << " stands twice";
        ASSERT_TRUE(figure.value) << where;
        EXPECT_EQ(number_text(figure.value->value, table.decimals),
                  number_text(paper->value, table.decimals))
            << where;
        ASSERT_EQ(figure.gain.has_value(), paper->gain.has_value()) << where;
        if (paper->gain) {
          EXPECT_EQ(signed_text(figure.gain->printed), signed_text(*paper->gain)) << where;
        }
        EXPECT_EQ(figure.best, paper->bold) << where;
        EXPECT_EQ(figure.paper, paper->value) << where;
      }
    }
  }
  EXPECT_EQ(seen.size(), paper_numbers().size());
}

TEST_F(Paper, RowsAndColumnsAreInThePapersOrder) {
  size_t last = 0;
  for (const Table& table : report_.tables) {
    for (const Row& row : table.rows) {
      for (const Column& column : table.columns) {
        const PaperNumber* paper = find_paper_number(table, row, column);
        if (!paper) continue;
        const size_t place = static_cast<size_t>(paper - paper_numbers().data()) + 1;
        EXPECT_GT(place, last) << table.name << ": " << row.model << ", " << column.heading;
        last = place;
      }
    }
  }
  EXPECT_EQ(last, paper_numbers().size());
}

TEST_F(Paper, OtherNetworksAndTrainingSetsAreNotCompared) {
  database_.begin_grid("other");
  const std::string netp = database_.add_cell({.architecture = "deit_small_patch16_224",
                                               .labeler = "saliency",
                                               .train_set = "imagenet9",
                                               .recipe = "paper",
                                               .builder = "imagenet9"});
  database_.add_figure(netp, "original", 80, 4050);
  const std::string tiny = database_.add_cell({.architecture = "deit_small_patch16_224",
                                               .train_set = "tiny",
                                               .recipe = "paper",
                                               .builder = "tiny-imagenet9"});
  database_.add_figure(tiny, "original", 80, 4050);
  for (const Table& table :
       make_report(database_.file(), {.grids = {"other"}, .paper = true}).tables) {
    for (const Row& row : table.rows) {
      for (const Figure& figure : row.figures) EXPECT_FALSE(figure.paper) << table.name;
    }
  }
}

TEST_F(Paper, TheDifferenceStandsBesideEachNumber) {
  const std::string markdown = to_markdown(report_.tables[0]);
  EXPECT_NE(markdown.find("| 82.69 (Δ +0.00) |"), std::string::npos) << markdown;
}

}  // namespace
}  // namespace remixer::reports
