// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "tools/command/subcommand.h"
#include "tools/model/model_command.h"

namespace remixer::worker {
namespace {

void add_three(CLI::App& app, const char* name, const char* help,
               std::optional<std::array<float, 3>>& values) {
  app.add_option_function<std::vector<float>>(
         name,
         [&values](const std::vector<float>& given) {
           values = {given[0], given[1], given[2]};
         },
         help)
      ->expected(3)
      ->type_name("R G B");
}

}  // namespace

void add_wishes(CLI::App& app, evaluation::SettingsWishes& wishes, bool own_size) {
  const char* group = "Settings that the weights do not contain, or to override";
  app.add_option("--trained-on", wishes.trained_on,
                 "data set that the model was trained on (its folder, or its name in the "
                 "workspace): its classes, mean and deviation")
      ->group(group);
  app.add_option("--checkpoint", wishes.checkpoint,
                 "name of published weights, as timm calls them (mixer_b16_224_miil)")
      ->group(group);
  add_three(app, "--mean", "mean for normalisation of pixels in [0, 1]", wishes.mean);
  add_three(app, "--std", "standard deviation for normalisation", wishes.deviation);
  app.get_option("--mean")->group(group);
  app.get_option("--std")->group(group);
  app.add_option("--crop", wishes.crop,
                 "centre crop of images of another size, as a share of the shorter side")
      ->check(CLI::Range(0.01, 1.0))
      ->group(group);
  app.add_option("--interpolation", wishes.interpolation, "bicubic or bilinear")
      ->check(CLI::IsMember({"bicubic", "bilinear"}))
      ->group(group);
  app.add_option_function<std::string>(
         "--token-vote", [&wishes](const std::string& text) { wishes.token_vote = text == "on"; },
         "on or off: whether a TokenLabeling model's patches vote")
      ->check(CLI::IsMember({"on", "off"}))
      ->group(group);
  if (!own_size) return;
  app.add_option("--image-size", wishes.image_size, "side of the model's input, in pixels")
      ->check(CLI::Range(1, 8192))
      ->group(group);
  app.add_option("--distance", wishes.distance, "between patch labels: l1 or cosine")
      ->check(CLI::IsMember({"l1", "cosine"}))
      ->group(group);
}

void add_weights_options(CLI::App& app, WeightsOptions& options, bool weights) {
  app.add_option("--arch", options.architecture, "architecture (see `remixer model list`)")
      ->required();
  app.add_option("--spatial-prior", options.spatial_prior, "none or convit (default: the file's)");
  if (weights) {
    app.add_option("--weights", options.weights, "safetensors file or .pth checkpoint")->required();
  }
  add_wishes(app, options.wishes);
  tools::add_workspace(app, options.workspace);
}

evaluation::SettingsWishes resolved_wishes(evaluation::SettingsWishes wishes,
                                           const std::filesystem::path& workspace) {
  if (!wishes.trained_on.empty()) {
    wishes.trained_on = tools::dataset_folder(wishes.trained_on, workspace);
  }
  return wishes;
}

evaluation::Evaluated evaluated_of(const WeightsOptions& options, const io::Safetensors& file) {
  evaluation::Evaluated evaluated = evaluation::settings_of(
      file, options.architecture, resolved_wishes(options.wishes, options.workspace));
  if (!options.spatial_prior.empty()) evaluated.model.spatial_prior = options.spatial_prior;
  return evaluated;
}

}  // namespace remixer::worker
