#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>

#include "base/error.h"
#include "base/file.h"
#include "core/augment/augmentation.h"
#include "core/explain/panel.h"
#include "core/explain/saliency.h"
#include "core/explain/saliency_picture.h"
#include "core/io/checkpoint.h"
#include "core/models/weights.h"
#include "tools/model/model_command.h"

namespace remixer::worker {
namespace {

struct Options {
  SetOptions set;
  std::string architecture, spatial_prior, baseline, remixer, of = "label", output;
  std::vector<std::string> samples;
  int64_t count = 8, seed = 0;
};

std::unique_ptr<models::Model> load(const Options& options, const std::string& path) {
  if (path.empty()) return nullptr;
  const io::Safetensors file = io::read_weights(path);
  models::ModelSpec spec = models::spec_of_weights(file, options.architecture);
  if (!options.spatial_prior.empty()) spec.spatial_prior = options.spatial_prior;
  auto model = models::create_model_to_load(spec);
  models::load_weights(*model, file);
  return model;
}

// Numbers of the samples asked for by id, else `count` drawn at random.
std::vector<int64_t> choose(const Options& options, const data::Dataset& dataset) {
  experiments::Json images = options.samples;
  if (options.samples.empty()) images = {{"count", options.count}, {"seed", options.seed}};
  return explain::choose_images(images, dataset);
}

SaliencyFile explain_model(models::Model& model, const Options& options, const OpenedSet& set,
                           const std::vector<int64_t>& chosen) {
  if (model.spec().remixer && !set.labels)
    fail_input("--remixer names a ReMixer model: give its patch labels by --labels");
  if (options.of == "label" &&
      model.spec().num_classes != static_cast<int64_t>(set.dataset.classes().size())) {
    fail_input("a model of {} classes has no logit for the labels of a set of {}: use --of answer",
               model.spec().num_classes, set.dataset.classes().size());
  }
  const explain::SaliencyJob job{.dataset = set.dataset,
                                 .labels = set.labels.get(),
                                 .distance = set.distance,
                                 .explain_answer = options.of == "answer"};
  return explain::draw_saliency(model, job, chosen);
}

// What of an image evaluation shows to a model of `size` pixels a side, at the image's own
// resolution: the whole, where it has the model's size, else the square centre that remains of it.
data::Image seen(const data::Image& image, int size) {
  if (image.width == size && image.height == size) return image;
  const int resized = static_cast<int>(size / data::AugmentationSettings{}.evaluation_crop);
  const int side = std::max(1, std::min(image.width, image.height) * size / resized);
  const int left = (image.width - side) / 2, top = (image.height - side) / 2;
  data::Image centre(side, side);
  for (int y = 0; y < side; ++y) std::copy_n(image.at(left, top + y), 3 * side, centre.at(0, y));
  return centre;
}

// At its full resolution; a small one enlarged by a whole factor, so that a panel can be looked at.
data::Image displayed(const std::filesystem::path& path, int size) {
  constexpr int kLeast = 192;
  const data::Image image = seen(data::read_image(path), size);
  const int factor = std::max(1, kLeast / std::min(image.width, image.height));
  data::Image large(image.width * factor, image.height * factor);
  for (int y = 0; y < large.height; ++y) {
    for (int x = 0; x < large.width; ++x)
      std::copy_n(image.at(x / factor, y / factor), 3, large.at(x, y));
  }
  return large;
}

void write_panels(const Options& options, const data::Dataset& dataset,
                  const std::vector<int64_t>& chosen, const std::vector<SaliencyFile>& explained,
                  int size) {
  const bool one_file = std::string_view(options.output).ends_with(".png");
  std::vector<data::Image> rows;
  for (size_t i = 0; i < chosen.size(); ++i) {
    const data::Sample& sample = dataset.samples()[static_cast<size_t>(chosen[i])];
    std::vector<data::Image> row{displayed(dataset.image_path(sample), size)};
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
  Options options;
  CLI::App app(
      "Draws panels original | baseline | ReMixer: which patches each model's answer rests on "
      "(Chefer et\n"
      "al.'s generic attention method; gradient-weighted activations of models without "
      "attention).\n"
      "Prints each sample with its class and the models' answers.",
      "remixer model explain");
  app.add_option("--arch", options.architecture, "architecture (see `remixer model list`)")
      ->required();
  app.add_option("--spatial-prior", options.spatial_prior, "none or convit (default: the files')");
  app.add_option("--baseline", options.baseline, "weights of the plain model");
  app.add_option("--remixer", options.remixer, "weights of the ReMixer model; needs --labels");
  add_set_options(app, options.set);
  app.add_option("--sample", options.samples,
                 "id of a sample (its path in the dataset); may be repeated");
  app.add_option("--count", options.count, "without --sample: how many, drawn at random")
      ->capture_default_str()
      ->check(CLI::Range(1, 100000));
  app.add_option("--seed", options.seed, "what they are drawn from")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  app.add_option("--of", options.of,
                 "the logit explained: of the image's label, or the model's answer")
      ->capture_default_str()
      ->check(CLI::IsMember({"label", "answer"}));
  app.add_option("--output", options.output, "a .png file (one row an image), or a folder of them")
      ->required();
  if (const int code = parse_arguments(app, argc, argv); code >= 0) return code;
  if (options.baseline.empty() && options.remixer.empty())
    fail_input("give --baseline, --remixer or both");

  const OpenedSet set = open_set(options.set);
  const std::vector<int64_t> chosen = choose(options, set.dataset);
  std::vector<SaliencyFile> explained;
  int size = 0;
  for (const std::string& path : {options.baseline, options.remixer}) {
    const auto model = load(options, path);
    if (!model) continue;
    explained.push_back(explain_model(*model, options, set, chosen));
    size = static_cast<int>(model->spec().image_size);
  }
  write_panels(options, set.dataset, chosen, explained, size);
  return kExitDone;
}

}  // namespace remixer::worker
