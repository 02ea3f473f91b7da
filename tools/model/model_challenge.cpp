#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "core/evaluation/adversarial.h"
#include "core/io/checkpoint.h"
#include "core/models/weights.h"
#include "tools/model/model_command.h"

namespace remixer::worker {
namespace {

struct Options {
  std::string dataset, foregrounds = "only_fg", backgrounds = "only_bg_t", architecture,
                       spatial_prior, weights, distance = "l1", format = "table";
  int64_t batch_size = 64;
};

evaluation::AdversarialOutcome run(const Options& options) {
  evaluation::AdversarialJob job{
      .foregrounds = data::Dataset::open(options.dataset, options.foregrounds),
      .backgrounds = data::Dataset::open(options.dataset, options.backgrounds),
      .model = models::spec_of_weights(io::read_weights(options.weights), options.architecture),
      .weights = options.weights,
      .distance = options.distance,
      .batch_size = options.batch_size,
      .on_progress = {}};
  if (!options.spatial_prior.empty()) job.model.spatial_prior = options.spatial_prior;
  job.on_progress = [](int64_t done, int64_t total) {
    std::cerr << fmt::format("\r{} of {} foregrounds{}", done, total, done == total ? "\n" : "")
              << std::flush;
  };
  training::SoloCommunicator solo;
  return evaluation::challenge(job, solo);
}

}  // namespace

int model_challenge(int argc, char** argv) {
  Options options;
  CLI::App app(
      "The Background Challenge's adversarial metric: each foreground is put before every "
      "background; it is\n"
      "broken if one of them makes the model wrong. A ReMixer model's labels are the foreground's "
      "mask.",
      "remixer model challenge");
  app.add_option("--arch", options.architecture, "architecture (see `remixer model list`)")
      ->required();
  app.add_option("--spatial-prior", options.spatial_prior, "none or convit (default: the file's)");
  app.add_option("--weights", options.weights, "safetensors file or .pth checkpoint")->required();
  app.add_option("--dataset", options.dataset, "folder of a dataset with masks")->required();
  app.add_option("--foregrounds", options.foregrounds, "split whose masked pixels are put in front")
      ->capture_default_str();
  app.add_option("--backgrounds", options.backgrounds, "split that they are put before")
      ->capture_default_str();
  app.add_option("--distance", options.distance, "between labels")
      ->capture_default_str()
      ->check(CLI::IsMember({"l1", "cosine"}));
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
                                        {"flipped_by", outcome.flipped_by}}
                     .dump()
              << '\n';
  } else {
    std::cout << fmt::format(
        "adversarial {:6.2f} % of {} foregrounds stay right before every background "
        "({} images looked at)\n",
        outcome.unbroken, count, outcome.images);
  }
  return kExitDone;
}

}  // namespace remixer::worker
