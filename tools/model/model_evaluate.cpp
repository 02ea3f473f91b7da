// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/predictions_file.h"
#include "base/text_table.h"
#include "core/evaluation/evaluator.h"
#include "core/io/torch_checkpoint.h"
#include "tools/command/device_option.h"
#include "tools/command/subcommand.h"
#include "tools/model/model_command.h"

namespace remixer::worker {
namespace {

struct EvaluateOptions {
  SetOptions set;
  WeightsOptions weights;
  std::string answers, transform = experiments::kWholeTransform, device = "auto", format = "table";
  int64_t batch_size = 64;
  int loader_threads = 2;
};

evaluation::Evaluation evaluate(const EvaluateOptions& options, const data::Dataset& dataset) {
  const io::Safetensors file = io::read_weights(options.weights.weights);
  evaluation::ModelOnSet job{.dataset = dataset,
                             .evaluated = evaluated_of(options.weights, file),
                             .weights = options.weights.weights,
                             .transform = options.transform,
                             .batch_size = options.batch_size,
                             .loader_threads = options.loader_threads,
                             .on_progress = {}};
  const auto labels = open_set_labels(options.set, dataset, job.evaluated);
  job.labels = labels.get();
  job.on_progress = [](int64_t done, int64_t total) {
    std::cerr << fmt::format("\r{} of {} images{}", done, total, done == total ? "\n" : "")
              << std::flush;
  };
  return evaluation::evaluate(job, *tools::alone_on(options.device));
}

void save_answers(const EvaluateOptions& options, const data::Dataset& dataset,
                  evaluation::Evaluation evaluation) {
  PredictionsFile file;
  file.eval_set = options.set.set;
  file.dataset_sha256 = dataset.content_hash();
  file.truth = std::move(evaluation.truth);
  file.by_weights["raw"] = std::move(evaluation.predictions);
  write_predictions(options.answers, file);
}

}  // namespace

int model_evaluate(int argc, char** argv) {
  EvaluateOptions options;
  CLI::App app(
      "Accuracy of weights on an evaluation set. A model of ImageNet's 1000 classes is read "
      "through\n"
      "ImageNet-9's table on a nine-class set: a class outside its 370 counts as wrong. Weights "
      "made\n"
      "here say how they are to be evaluated; public ones are evaluated as timm does.",
      "remixer model evaluate");
  tools::add_example(app,
                     "remixer model evaluate --arch deit_small_patch16_224 --weights "
                     "model.safetensors --dataset imagenet9 --set mixed_rand");
  add_weights_options(app, options.weights);
  add_set_options(app, options.set);
  app.add_option("--answers", options.answers, "file for the answer to each image");
  app.add_option("--transform", options.transform,
                 "images of the model's own size: whole (as they are), or released (resized and "
                 "cropped, as OAMixer's released code does)")
      ->capture_default_str()
      ->check(CLI::IsMember({experiments::kWholeTransform, experiments::kReleasedTransform}));
  tools::add_device_option(app, options.device);
  app.add_option("--batch", options.batch_size)->capture_default_str()->check(CLI::Range(1, 65536));
  app.add_option("--loader-threads", options.loader_threads)
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  app.add_option("--format", options.format, "table, json or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}));
  if (const int code = parse_arguments(app, argc, argv); code >= 0) return code;

  const data::Dataset dataset = open_set(options.set, options.weights);
  evaluation::Evaluation evaluation = evaluate(options, dataset);
  Table table({{"eval_set"}, {"metric"}, {"value"}, {"n"}});
  for (const auto& [metric, value, n] : evaluation.figures) {
    table.add_row({options.set.set, metric, value, n});
  }
  std::cout << table.as(format_from_string(options.format));
  if (!options.answers.empty()) save_answers(options, dataset, std::move(evaluation));
  return kExitDone;
}

}  // namespace remixer::worker
