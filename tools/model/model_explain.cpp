// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "base/error.h"
#include "base/file.h"
#include "core/evaluation/evaluator.h"
#include "core/explain/panel.h"
#include "core/explain/saliency.h"
#include "core/explain/saliency_picture.h"
#include "core/io/torch_checkpoint.h"
#include "core/models/weights.h"
#include "tools/command/subcommand.h"
#include "tools/model/model_command.h"

namespace remixer::worker {
namespace {

struct ExplainOptions {
  SetOptions set;
  WeightsOptions weights;
  std::string baseline, remixer, of = "label", output;
  std::vector<std::string> samples;
  int64_t count = 8, seed = 0;
};

// A model, the transform of its images, and its patch labels for the set.
struct Loaded {
  Loaded(const ExplainOptions& options, const std::string& path, const data::Dataset& dataset)
      : file(io::read_weights(path)), evaluated(evaluated_of(options.weights, file)) {
    labels = open_set_labels(options.set, dataset, evaluated);
    model = models::create_model_to_load(evaluated.model);
    models::load_weights(*model, file);
  }

  io::Safetensors file;
  evaluation::Evaluated evaluated;
  std::unique_ptr<data::LabelSource> labels;
  std::unique_ptr<models::Model> model;
};

// Indices of the samples requested by id, else of `count` samples drawn at random.
std::vector<int64_t> choose(const ExplainOptions& options, const data::Dataset& dataset) {
  return explain::choose_images(
      {.names = options.samples, .count = options.count, .seed = options.seed}, dataset);
}

SaliencyFile explain_model(const Loaded& loaded, const ExplainOptions& options,
                           const data::Dataset& dataset, const std::vector<int64_t>& chosen) {
  if (loaded.model->spec().remixer && !loaded.labels)
    fail_input("--remixer names a ReMixer model: give its patch labels by --labels");
  const explain::SaliencyJob job{.dataset = dataset,
                                 .settings = loaded.evaluated.settings,
                                 .labels = loaded.labels.get(),
                                 .logit = options.of == "answer"
                                              ? explain::SaliencyJob::Logit::kAnswer
                                              : explain::SaliencyJob::Logit::kLabel};
  return explain::draw_saliency(*loaded.model, job, chosen);
}

// The part of an image that evaluation shows to a model of `size` pixels a side, at the image's own
// resolution: all of it if it has the model's size, else its square centre crop.
data::Image seen(const data::Image& image, int size, double crop) {
  if (image.width == size && image.height == size) return image;
  const int resized = static_cast<int>(size / crop);
  const int side = std::max(1, std::min(image.width, image.height) * size / resized);
  const int left = (image.width - side) / 2, top = (image.height - side) / 2;
  data::Image centre(side, side);
  for (int y = 0; y < side; ++y) std::copy_n(image.at(left, top + y), 3 * side, centre.at(0, y));
  return centre;
}

// At full resolution; small images are enlarged by an integer factor, so that panels are visible.
data::Image displayed(const std::filesystem::path& path, int size, double crop) {
  constexpr int kLeast = 192;
  const data::Image image = seen(data::read_image(path), size, crop);
  const int factor = std::max(1, kLeast / std::min(image.width, image.height));
  data::Image large(image.width * factor, image.height * factor);
  for (int y = 0; y < large.height; ++y) {
    for (int x = 0; x < large.width; ++x)
      std::copy_n(image.at(x / factor, y / factor), 3, large.at(x, y));
  }
  return large;
}

void write_panels(const ExplainOptions& options, const data::Dataset& dataset,
                  const std::vector<int64_t>& chosen, const std::vector<SaliencyFile>& explained,
                  const evaluation::EvaluationSettings& settings) {
  const auto size = static_cast<int>(settings.image_size);
  const bool one_file = std::string_view(options.output).ends_with(".png");
  std::vector<data::Image> rows;
  for (size_t i = 0; i < chosen.size(); ++i) {
    const data::Sample& sample = dataset.samples()[static_cast<size_t>(chosen[i])];
    std::vector<data::Image> row{displayed(dataset.image_path(sample), size, settings.crop)};
    std::string answers;
    for (const SaliencyFile& model : explained) {
      row.push_back(explain::overlay(row.front(), explain::map_of(model, i)));
      answers += " | " + model.answers[i];
    }
    std::cout << sample.id << ": " << dataset.classes()[static_cast<size_t>(sample.label)]
              << answers << '\n';
    rows.push_back(explain::side_by_side(row));
    if (one_file) continue;
    std::filesystem::create_directories(options.output);
    data::write_png(std::filesystem::path(options.output) / fmt::format("{:06}.png", chosen[i]),
                    rows.back());
    rows.clear();
  }
  if (!one_file) return;
  for (const data::Image& row : rows) {
    if (row.width != rows.front().width)
      fail_input("images of several widths do not go into one panel: give a folder as --output");
  }
  data::write_png(options.output, explain::stacked(rows));
}

}  // namespace

int model_explain(int argc, char** argv) {
  ExplainOptions options;
  CLI::App app(
      "Draws panels original | baseline | ReMixer: which patches each model's answer rests on "
      "(Chefer et\n"
      "al.'s generic attention method; gradient-weighted activations of models without "
      "attention).\n"
      "Prints each sample with its class and the models' answers.",
      "remixer model explain");
  tools::add_example(app,
                     "remixer model explain --arch deit_small_patch16_224 --baseline "
                     "plain.safetensors --dataset imagenet9 --count 4 --output panels.png");
  add_weights_options(app, options.weights, /*weights=*/false);
  app.add_option("--baseline", options.baseline, "weights of the plain model");
  app.add_option("--remixer", options.remixer, "weights of the ReMixer model; needs --labels");
  add_set_options(app, options.set);
  app.add_option("--sample", options.samples,
                 "id of a sample (its path in the dataset); may be repeated");
  app.add_option("--count", options.count, "without --sample: how many, drawn at random")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  app.add_option("--seed", options.seed, "seed of the draw")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--of", options.of,
                 "which logit to explain: of the image's label, or of the model's answer")
      ->capture_default_str()
      ->check(CLI::IsMember({"label", "answer"}));
  app.add_option("--output", options.output,
                 "a .png file (one row per image), or a folder with one file per image")
      ->required();
  if (const int code = parse_arguments(app, argc, argv); code >= 0) return code;
  if (options.baseline.empty() && options.remixer.empty())
    fail_input("give --baseline, --remixer or both");

  const data::Dataset dataset = open_set(options.set, options.weights);
  const std::vector<int64_t> chosen = choose(options, dataset);
  std::vector<SaliencyFile> explained;
  evaluation::EvaluationSettings settings;
  for (const std::string& path : {options.baseline, options.remixer}) {
    if (path.empty()) continue;
    const Loaded loaded(options, path, dataset);
    explained.push_back(explain_model(loaded, options, dataset, chosen));
    settings = loaded.evaluated.settings;
  }
  write_panels(options, dataset, chosen, explained, settings);
  return kExitDone;
}

}  // namespace remixer::worker
