// SPDX-License-Identifier: Apache-2.0
// A model of untrained weights as a training run leaves them, and sets to evaluate it on.
#pragma once

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/evaluation/evaluator.h"
#include "core/io/torch_checkpoint.h"
#include "core/models/weights.h"
#include "core/training/cell_model.h"
#include "experiments/spec/components.h"
#include "tests/core/training/tiny_cell.h"
#include "tests/support/blotches.h"
#include "tests/support/program.h"

namespace remixer::testing {

struct OneModel {
  OneModel(std::filesystem::path file, const std::string& architecture,
           const std::string& token_labeling, bool masked, const data::Dataset& dataset,
           const std::function<void(experiments::Cell&)>& change = {})
      : path(std::move(file)), cell(tiny_cell(architecture, masked)) {
    cell.recipe.token_labeling = token_labeling;
    if (token_labeling != "none") {
      cell.labeler = experiments::LabelerSpec{{"relabel"}};
      cell.distance = masked ? "cosine" : "none";
    }
    if (change) change(cell);
    const int64_t tokens = token_labeling == "none" ? 0 : 3;
    model = models::create_model(training::model_spec(cell, dataset, tokens), 3);
    {
      const at::NoGradGuard no_grad;
      for (const auto& [name, parameter] : model->parameters()) {
        if (models::is_kappa(name)) parameter.fill_(0.8);
        if (name == "head.weight" || name == "aux_head.weight") parameter.mul_(20);
        // A Mixer's head begins at zero, where it answers the same of all.
        if (name == "head.weight" && parameter.abs().max().item<float>() == 0) {
          parameter.copy_(at::linspace(-1, 1, parameter.numel()).mul(40).sin_().view_as(parameter));
        }
      }
    }
    models::save_weights(*model, path,
                         models::metadata_of(training::evaluation_settings(cell, dataset)));
  }

  // Of the cell's labeler, for the set: class probabilities or saliency. None of a model without
  // a labeler.
  std::unique_ptr<data::LabelSource> labels(const data::Dataset& dataset) const {
    if (!cell.labeler) return nullptr;
    const auto& labeler = experiments::find_labeler(cell.labeler->name);
    if (labeler.distance == "cosine") return std::make_unique<ClassLabels>(dataset);
    return std::make_unique<BoxLabels>(dataset);
  }

  // As a grid's task evaluates it.
  evaluation::EvaluateJob task(const std::filesystem::path& folder,
                               const data::LabelSource* labels) const {
    evaluation::EvaluateJob job;
    job.cell = cell;
    job.dataset = folder;
    job.eval_set = "original";
    job.labels = labels;
    job.weights = path;
    return job;
  }

  // As `model evaluate` does, by the file alone.
  evaluation::ModelOnSet by_hand(const data::Dataset& dataset, const data::LabelSource* labels,
                                 const evaluation::SettingsWishes& wishes = {}) const {
    return {.dataset = dataset,
            .evaluated = evaluation::settings_of(io::read_weights(path), cell.architecture, wishes),
            .weights = path,
            .labels = cell.is_remixer() ? labels : nullptr,
            .on_progress = {}};
  }

  std::filesystem::path path;
  experiments::Cell cell;
  std::unique_ptr<models::Model> model;
};

// Foregrounds, backgrounds, and each foreground before each background as the set "original", whose
// images are what the adversarial metric makes on its way.
class CompositeSet {
 public:
  static constexpr int kForegrounds = 7, kBackgrounds = 5, kSize = 32;

  explicit CompositeSet(const std::filesystem::path& folder) {
    data::DatasetWriter writer(folder, {"red", "green", "blue"}, kSize, tiny_spec());
    for (const char* each : {"only_fg/val", "only_bg_t/val", "original/val", "fg_mask"}) {
      writer.add_folder(each);
    }
    std::vector<data::Sample> foregrounds, backgrounds, composites;
    std::vector<data::Image> behind;
    for (int b = 0; b < kBackgrounds; ++b) {
      data::Sample sample;
      sample.id = fmt::format("only_bg_t/val/{}.png", b);
      sample.label = b % 3;
      behind.push_back(blotches(kSize, static_cast<uint64_t>(b)));
      writer.add_file(sample.id, data::encode_png(behind.back()));
      backgrounds.push_back(std::move(sample));
    }
    for (int i = 0; i < kForegrounds; ++i) {
      data::Sample sample;
      sample.id = fmt::format("only_fg/val/{}.png", i);
      sample.label = i % 3;
      sample.mask = fmt::format("fg_mask/{}.png", i);
      sample.box = data::Box{5 + i, 3 + i, 16 + i, 14 + i};
      const data::Image image = blotches(kSize, static_cast<uint64_t>(100 + i));
      data::GrayImage mask(kSize, kSize);
      for (int y = sample.box->y0; y <= sample.box->y1; ++y) {
        for (int x = sample.box->x0; x <= sample.box->x1; ++x) mask.at(x, y) = 255;
      }
      writer.add_file(sample.id, data::encode_png(image));
      writer.add_file(sample.mask, data::encode_png(mask));
      for (int b = 0; b < kBackgrounds; ++b) {
        data::Image composite = behind[static_cast<size_t>(b)];
        for (size_t p = 0; p < mask.pixels.size(); ++p) {
          if (mask.pixels[p] > 0) std::copy_n(&image.pixels[3 * p], 3, &composite.pixels[3 * p]);
        }
        data::Sample both = sample;
        both.id = fmt::format("original/val/{}_{}.png", i, b);
        both.foreground = std::to_string(i);
        writer.add_file(both.id, data::encode_png(composite));
        ids_[fmt::format("{} before {}", sample.id, backgrounds[static_cast<size_t>(b)].id)] =
            both.id;
        composites.push_back(std::move(both));
      }
      foregrounds.push_back(std::move(sample));
    }
    writer.add_split("only_fg", foregrounds);
    writer.add_split("only_bg_t", backgrounds);
    writer.add_split("original", composites);
    writer.publish({0.4, 0.5, 0.6}, {0.2, 0.25, 0.3});
  }

  // In "original", of a composite that the metric calls so.
  const std::string& id_of(const std::string& composite) const { return ids_.at(composite); }

 private:
  std::map<std::string, std::string> ids_;
};

}  // namespace remixer::testing
