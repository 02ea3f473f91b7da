// SPDX-License-Identifier: Apache-2.0
#include "tools/model/relevance_tool.h"

#include <ATen/ops/isfinite.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "base/error.h"
#include "core/explain/relevance.h"
#include "core/io/torch_checkpoint.h"
#include "core/kernels/operators.h"
#include "core/models/weights.h"
#include "tools/command/subcommand.h"

namespace remixer::explain {
namespace {

struct RelevanceOptions {
  std::string architecture, spatial_prior, distance = "l1", weights, input, output;
};

void run(const RelevanceOptions& options) {
  const io::Safetensors weights = io::read_weights(options.weights);
  models::ModelSpec spec = models::spec_of_weights(weights, options.architecture);
  if (!options.spatial_prior.empty()) spec.spatial_prior = options.spatial_prior;
  const auto model = models::create_model_to_load(spec);
  models::load_weights(*model, weights);

  const io::Safetensors input = io::read_safetensors(options.input);
  const at::Tensor images = input.at("images").to(at::kFloat), targets = input.at("targets");
  if (targets.scalar_type() != at::kLong || targets.dim() != 1 ||
      targets.size(0) != images.size(0) ||
      (targets.numel() > 0 &&
       (targets.min().item<int64_t>() < 0 || targets.max().item<int64_t>() >= spec.num_classes))) {
    fail_input("{}: tensor 'targets' must be [B] of type I64, from 0 to {}", input.path.string(),
               spec.num_classes - 1);
  }
  std::optional<at::Tensor> distance;
  if (spec.remixer) {
    const at::Tensor labels = input.at("labels").to(at::kFloat);
    if (!at::isfinite(labels).all().item<bool>()) {
      fail_input("{}: tensor 'labels' holds values that are not finite", input.path.string());
    }
    distance = kernels::label_distance(labels, options.distance);
  }
  io::write_safetensors(options.output,
                        {{"relevance", relevance(*model, images, distance, targets).patches}});
}

}  // namespace

int relevance_command(int argc, char** argv) {
  RelevanceOptions options;
  CLI::App app(
      "Relevance of each patch for the logits of `targets`: X holds images [B, 3, S, S], targets "
      "[B] and,\n"
      "for a ReMixer model, labels [B, N, K]; Y holds relevance [B, G, G]",
      "remixer model relevance");
  tools::add_example(app,
                     "remixer model relevance --arch deit_small_patch16_224 --weights "
                     "model.safetensors --input batch.safetensors --output relevance.safetensors");
  app.add_option("--arch", options.architecture, "architecture (see `remixer model list`)")
      ->required();
  app.add_option("--spatial-prior", options.spatial_prior, "none or convit (default: the file's)");
  app.add_option("--distance", options.distance, "between labels: l1 (default) or cosine")
      ->check(CLI::IsMember({"l1", "cosine"}));
  app.add_option("--weights", options.weights, "safetensors file or .pth checkpoint")->required();
  app.add_option("--input", options.input, "safetensors file X")->required();
  app.add_option("--output", options.output, "safetensors file Y to write")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::cerr << "remixer model relevance: " << error.what()
              << " (see remixer model relevance --help)\n";
    return kExitBadInput;
  }
  run(options);
  return kExitDone;
}

}  // namespace remixer::explain
