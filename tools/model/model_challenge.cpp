// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "core/evaluation/adversarial.h"
#include "core/io/torch_checkpoint.h"
#include "experiments/spec/pins.h"
#include "tools/command/device_option.h"
#include "tools/command/subcommand.h"
#include "tools/labels/labels_tool.h"
#include "tools/model/composite_labeler.h"
#include "tools/model/model_command.h"

namespace remixer::worker {
namespace {

struct ChallengeOptions {
  WeightsOptions weights;
  std::filesystem::path dataset, labeler_weights = labelcache::default_weights();
  std::string foregrounds = "only_fg", backgrounds = "only_bg_t", device = "auto", format = "table";
  bool true_masks = false;
  int64_t batch_size = 64;
};

// A ReMixer model's patch labels: its own labeler's, or the true masks if requested.
void choose_labels(const ChallengeOptions& options, at::Device device,
                   evaluation::AdversarialJob& job) {
  auto& settings = job.evaluated.settings;
  if (!job.evaluated.model.remixer) return;
  if (options.true_masks) {
    // The distance of the model's own labels may not suit masks.
    settings.distance = options.weights.wishes.distance;
  } else if (!settings.labeler) {
    fail_input(
        "{}: does not say which labeler the model was trained with: give --true-masks to use the "
        "foregrounds' masks, and say so beside the figure",
        options.weights.weights);
  } else {
    job.labeler = composite_labeler(
        *settings.labeler,
        {options.labeler_weights, experiments::weights_folder(options.weights.workspace)}, device);
  }
  if (settings.distance.empty()) settings.distance = "l1";
}

evaluation::AdversarialOutcome run(const ChallengeOptions& options) {
  const auto folder = tools::dataset_folder(options.dataset, options.weights.workspace);
  evaluation::AdversarialJob job{
      .foregrounds = data::Dataset::open(folder, options.foregrounds),
      .backgrounds = data::Dataset::open(folder, options.backgrounds),
      .evaluated = evaluated_of(options.weights, io::read_weights(options.weights.weights)),
      .weights = options.weights.weights,
      .labeler = {},
      .batch_size = options.batch_size,
      .on_progress = {}};
  const auto alone = tools::alone_on(options.device);
  choose_labels(options, alone->device(), job);
  job.on_progress = [](int64_t done, int64_t total) {
    std::cerr << fmt::format("\r{} of {} foregrounds{}", done, total, done == total ? "\n" : "")
              << std::flush;
  };
  return evaluation::challenge(job, *alone);
}

}  // namespace

int model_challenge(int argc, char** argv) {
  ChallengeOptions options;
  CLI::App app(
      "The Background Challenge's adversarial metric: each foreground is put before every "
      "background; it is\n"
      "broken if one of them makes the model wrong. A ReMixer model gets labels of each composite "
      "by its own\n"
      "labeler, or with --true-masks the foreground's mask, which no labeler has.",
      "remixer model challenge");
  tools::add_example(app,
                     "remixer model challenge --arch deit_small_patch16_224 --weights "
                     "model.safetensors --dataset imagenet9");
  add_weights_options(app, options.weights);
  tools::add_dataset(app, "--dataset", options.dataset)->required();
  app.add_option("--foregrounds", options.foregrounds,
                 "split with the foregrounds, cut out by their masks")
      ->capture_default_str();
  app.add_option("--backgrounds", options.backgrounds, "split with the backgrounds")
      ->capture_default_str();
  app.add_flag("--true-masks", options.true_masks,
               "use the foregrounds' true masks as labels of a ReMixer model");
  app.add_option("--labeler-weights", options.labeler_weights, "folder of the labelers' networks")
      ->capture_default_str();
  tools::add_device_option(app, options.device);
  app.add_option("--batch", options.batch_size)->capture_default_str()->check(CLI::Range(1, 65536));
  app.add_option("--format", options.format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  if (const int code = parse_arguments(app, argc, argv); code >= 0) return code;

  const auto outcome = run(options);
  const size_t count = outcome.flipped_by.size();
  if (options.format == "json") {
    std::cout << nlohmann::ordered_json{{"adversarial", outcome.unbroken},
                                        {"foregrounds", count},
                                        {"images", outcome.images},
                                        {"true_masks", outcome.true_masks},
                                        {"flipped_by", outcome.flipped_by}}
                     .dump()
              << '\n';
  } else {
    std::cout << fmt::format(
        "adversarial {:6.2f} % of {} foregrounds stay right before every background "
        "({} images looked at{})\n",
        outcome.unbroken, count, outcome.images,
        outcome.true_masks ? "; with true masks as labels" : "");
  }
  return kExitDone;
}

}  // namespace remixer::worker
