#include "tools/model/model_command.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "base/error.h"
#include "labelcache/labelers/label_job.h"
#include "tools/model/forward_backward.h"
#include "tools/model/relevance_tool.h"

namespace remixer::worker {

int model_command(int argc, char** argv) {
  return models::model_command(
      argc, argv,
      {{"evaluate", "Accuracy of weights on an evaluation set, as tables count it", model_evaluate},
       {"challenge", "Whether any background flips a foreground: the adversarial metric",
        model_challenge},
       {"explain", "Draw which patches a baseline and a ReMixer model look at", model_explain},
       {"saliency", "Table 4 as a picture, from the maps that a grid drew", model_saliency},
       {"relevance", "The same as numbers, of images in a file", explain::relevance_command}});
}

void add_set_options(CLI::App& app, SetOptions& options) {
  app.add_option("--dataset", options.dataset, "folder of a built or imported dataset")->required();
  app.add_option("--set", options.set, "its evaluation set")->capture_default_str();
  app.add_option("--labels", options.labels,
                 "patch labels of that set (.labels), of a ReMixer model");
  app.add_option("--distance", options.distance,
                 "between labels: l1 or cosine (default: l1 of one "
                 "channel, cosine of more)")
      ->check(CLI::IsMember({"l1", "cosine"}));
}

OpenedSet open_set(const SetOptions& options) {
  OpenedSet opened{data::Dataset::open(options.dataset, options.set), nullptr, options.distance};
  if (options.labels.empty()) return opened;
  opened.labels =
      labelcache::open_labels(options.labels, opened.dataset.content_hash(), options.set);
  if (opened.distance.empty()) opened.distance = opened.labels->channels() == 1 ? "l1" : "cosine";
  return opened;
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
