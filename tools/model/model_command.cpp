// SPDX-License-Identifier: Apache-2.0
#include "tools/model/model_command.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "base/error.h"
#include "labelcache/labelers/label_job.h"
#include "tools/command/subcommand.h"
#include "tools/model/forward_backward.h"
#include "tools/model/relevance_tool.h"

namespace remixer::worker {

int model_command(int argc, char** argv) {
  return models::model_command(
      argc, argv,
      {{"evaluate", "Compute the accuracy of weights on an evaluation set, as tables do",
        model_evaluate},
       {"challenge", "Compute the adversarial metric: does any background flip a foreground?",
        model_challenge},
       {"explain", "Draw which patches a baseline and a ReMixer model look at", model_explain},
       {"saliency", "Draw Table 4 from the maps of a grid", model_saliency},
       {"relevance", "Compute saliency maps as numbers, for images in a file",
        explain::relevance_command}});
}

void add_set_options(CLI::App& app, SetOptions& options) {
  tools::add_dataset(app, "--dataset", options.dataset)->required();
  app.add_option("--set", options.set, "its evaluation set")->capture_default_str();
  app.add_option("--labels", options.labels,
                 "patch labels of that set (.labels), of a ReMixer model");
  app.add_flag("--any-labeler", options.any_labeler,
               "accept labels of another labeler than the model was trained with");
}

data::Dataset open_set(const SetOptions& set, const WeightsOptions& weights) {
  return data::Dataset::open(tools::dataset_folder(set.dataset, weights.workspace), set.set);
}

std::unique_ptr<data::LabelSource> open_set_labels(const SetOptions& options,
                                                   const data::Dataset& dataset,
                                                   evaluation::Evaluated& evaluated) {
  if (!evaluated.model.remixer || options.labels.empty()) return nullptr;
  const auto labeler = options.any_labeler ? std::nullopt : evaluated.settings.labeler;
  auto labels =
      labelcache::open_labels(options.labels, dataset.content_hash(), options.set, labeler);
  std::string& distance = evaluated.settings.distance;
  if (distance.empty()) distance = labels->channels() == 1 ? "l1" : "cosine";
  return labels;
}

int parse_arguments(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::cerr << app.get_name() << ": " << error.what() << " (see " << app.get_name()
              << " --help)\n";
    return kExitBadInput;
  }
  return -1;
}

}  // namespace remixer::worker
