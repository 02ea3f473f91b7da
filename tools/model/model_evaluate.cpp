#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/predictions_file.h"
#include "core/evaluation/evaluator.h"
#include "core/io/checkpoint.h"
#include "core/models/weights.h"
#include "tools/model/model_command.h"

namespace remixer::worker {
namespace {

struct Options {
  SetOptions set;
  std::string architecture, spatial_prior, weights, answers, format = "table";
  int64_t batch_size = 64;
  int loader_threads = 2;
};

evaluation::Evaluation evaluate(const Options& options, const OpenedSet& opened) {
  const io::Safetensors file = io::read_weights(options.weights);
  evaluation::ModelOnSet job{.dataset = opened.dataset,
                             .model = models::spec_of_weights(file, options.architecture),
                             .weights = options.weights,
                             .labels = opened.labels.get(),
                             .distance = opened.distance,
                             .batch_size = options.batch_size,
                             .loader_threads = options.loader_threads,
                             .on_progress = {}};
  if (!options.spatial_prior.empty()) job.model.spatial_prior = options.spatial_prior;
  if (!job.model.remixer) job.labels = nullptr;
  job.on_progress = [](int64_t done, int64_t total) {
    std::cerr << fmt::format("\r{} of {} images{}", done, total, done == total ? "\n" : "")
              << std::flush;
  };
  training::SoloCommunicator solo;
  return evaluation::evaluate(job, solo);
}

void save_answers(const Options& options, const OpenedSet& opened,
                  evaluation::Evaluation evaluation) {
  PredictionsFile file;
  file.eval_set = options.set.set;
  file.dataset_sha256 = opened.dataset.content_hash();
  file.truth = std::move(evaluation.truth);
  file.by_weights["raw"] = std::move(evaluation.predictions);
  write_predictions(options.answers, file);
}

}  // namespace

int model_evaluate(int argc, char** argv) {
  Options options;
  CLI::App app(
      "Accuracy of weights on an evaluation set. A model of ImageNet's 1000 classes is read "
      "through\n"
      "ImageNet-9's table on a nine-class set: a class outside its 370 counts as wrong.",
      "remixer model evaluate");
  app.add_option("--arch", options.architecture, "architecture (see `remixer model list`)")
      ->required();
  app.add_option("--spatial-prior", options.spatial_prior, "none or convit (default: the file's)");
  app.add_option("--weights", options.weights, "safetensors file or .pth checkpoint")->required();
  add_set_options(app, options.set);
  app.add_option("--answers", options.answers, "file to write each image's answers to");
  app.add_option("--batch", options.batch_size)->capture_default_str()->check(CLI::Range(1, 65536));
  app.add_option("--loader-threads", options.loader_threads)
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  app.add_option("--format", options.format, "table, json or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}));
  if (const int code = parse_arguments(app, argc, argv); code >= 0) return code;

  const OpenedSet opened = open_set(options.set);
  evaluation::Evaluation evaluation = evaluate(options, opened);
  if (options.format == "json") {
    nlohmann::ordered_json json = nlohmann::ordered_json::array();
    for (const auto& [metric, value, n] : evaluation.figures) {
      json.push_back(
          {{"eval_set", options.set.set}, {"metric", metric}, {"value", value}, {"n", n}});
    }
    std::cout << json.dump(2) << '\n';
  } else {
    const bool csv = options.format == "csv";
    if (csv) std::cout << "eval_set,metric,value,n\n";
    for (const auto& [metric, value, n] : evaluation.figures) {
      std::cout << (csv ? fmt::format("{},{},{},{}\n", options.set.set, metric, value, n)
                        : fmt::format("{:<14} {:<14} {:6.2f} % of {}\n", options.set.set, metric,
                                      value, n));
    }
  }
  if (!options.answers.empty()) save_answers(options, opened, std::move(evaluation));
  return kExitDone;
}

}  // namespace remixer::worker
