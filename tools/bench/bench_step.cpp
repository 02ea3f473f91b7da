// SPDX-License-Identifier: Apache-2.0
#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "base/error.h"
#include "core/kernels/operators.h"
#include "core/models/work.h"
#include "core/training/optimizer.h"
#include "experiments/spec/architectures.h"
#include "tools/bench/bench.h"
#include "tools/command/subcommand.h"

namespace remixer::worker {
namespace {

struct StepOptions {
  std::string architecture = "deit_small_patch16_224", labels = "relabel", format = "table";
  int64_t batch = 8, image_size = 0, classes = 1000, steps = 10;
  int threads = 2;
};

double now() {
  return system_clock().monotonic();
}

// Patch labels like a labeler's: ReLabel's 1000 probabilities, of which a few are large, or one
// saliency per patch.
at::Tensor patch_labels(const StepOptions& options, int64_t patches) {
  if (options.labels == "saliency") return at::rand({options.batch, patches, 1});
  at::Tensor logits = at::rand({options.batch, patches, options.classes});
  return (logits * (logits > 0.995) * 12).softmax(-1);
}

// One training step: distance, forward, loss, backward, AdamW.
class Step {
 public:
  explicit Step(const StepOptions& options)
      : model_(models::create_model({.architecture = options.architecture,
                                     .num_classes = options.classes,
                                     .image_size = options.image_size,
                                     .remixer = options.labels != "none"},
                                    0)),
        optimizer_(model_->parameters(), experiments::Recipe{}),
        distance_name_(options.labels == "relabel" ? "cosine" : "l1"),
        images_(at::randn({options.batch, 3, options.image_size, options.image_size})),
        classes_(at::randint(options.classes, {options.batch}, at::kLong)) {
    if (model_->spec().remixer) {
      labels_ = patch_labels(options, model_->grid() * model_->grid());
      const at::NoGradGuard no_grad;
      for (const auto& [name, parameter] : model_->parameters()) {
        if (models::is_kappa(name)) parameter.fill_(0.5);
      }
    }
  }

  void run() {
    for (const auto& [name, parameter] : model_->parameters())
      parameter.mutable_grad() = at::Tensor();
    std::optional<at::Tensor> distance;
    if (labels_.defined()) distance = kernels::label_distance(labels_, distance_name_);
    const models::ForwardMode mode{.training = true, .update_running_stats = true};
    at::cross_entropy_loss(model_->forward(images_, distance, mode), classes_).backward();
    optimizer_.step(1e-4, 1e-4);
  }

  const models::Model& model() const { return *model_; }

 private:
  std::unique_ptr<models::Model> model_;
  training::AdamW optimizer_;
  std::string distance_name_;
  at::Tensor images_, classes_, labels_;
};

// Floating-point operations per second of a large matrix product, the best of several.
double product_peak() {
  constexpr int64_t kSide = 1536;
  const at::NoGradGuard no_grad;
  const at::Tensor a = at::randn({kSide, kSide}), b = at::randn({kSide, kSide});
  double best = 0;
  for (int i = 0; i < 5; ++i) {
    const double start = now();
    at::mm(a, b);
    best = std::max(best, 2.0 * kSide * kSide * kSide / (now() - start));
  }
  return best;
}

struct Measurement {
  double seconds = 0, peak = 0;  // median of the steps; best of the products, run between them
  // The same model without labels, whose steps alternate with these: the median of its steps, and
  // of the quotients of a step and the one beside it. 0 without labels.
  double plain_seconds = 0, over_plain = 0;
};

double seconds_of(Step& step) {
  const double start = now();
  step.run();
  return now() - start;
}

Measurement measure(const StepOptions& options, Step& step) {
  std::optional<Step> plain;
  if (options.labels != "none") {
    StepOptions without = options;
    without.labels = "none";
    plain.emplace(without);
    plain->run();
  }
  step.run();
  Measurement measured;
  std::vector<double> times, plain_times, quotients;
  for (int64_t i = 0; i < options.steps; ++i) {
    // Each of the two goes first every other time.
    if (plain && i % 2 == 0) plain_times.push_back(seconds_of(*plain));
    times.push_back(seconds_of(step));
    if (plain && i % 2 == 1) plain_times.push_back(seconds_of(*plain));
    if (plain) quotients.push_back(times.back() / plain_times.back());
    if (i % 3 == 0) measured.peak = std::max(measured.peak, product_peak());
  }
  measured.seconds = median(times);
  if (plain) {
    measured.plain_seconds = median(plain_times);
    measured.over_plain = median(quotients);
  }
  return measured;
}

void report(const StepOptions& options, const Step& step, const Measurement& measured) {
  // A backward pass has two products for each product of the forward pass.
  const double work =
      3 * 2 * models::multiply_adds(step.model()) * static_cast<double>(options.batch);
  const double a_image = 1000 * measured.seconds / static_cast<double>(options.batch);
  const double fraction = work / measured.seconds / measured.peak;
  const double plain = 1000 * measured.plain_seconds / static_cast<double>(options.batch);
  const bool paired = measured.over_plain > 0;
  if (options.format == "json") {
    nlohmann::ordered_json record{{"architecture", options.architecture},
                                  {"labels", options.labels},
                                  {"batch", options.batch},
                                  {"image_size", options.image_size},
                                  {"threads", options.threads},
                                  {"ms_an_image", a_image},
                                  {"peak_gflops", measured.peak / 1e9},
                                  {"fraction_of_peak", fraction}};
    if (paired) {
      record["plain_ms_an_image"] = plain;
      record["masked_over_plain"] = measured.over_plain;
    }
    std::cout << record.dump(2) << '\n';
    return;
  }
  std::cout << fmt::format(
      "{} with {} labels, batch {} at {}, fp32, {} threads\n"
      "  a step:         {:.1f} ms an image (median of {} steps of {} images)\n"
      "  matrix product: {:.1f} GFLOP/s, this machine's best in the same run\n"
      "  reached:        {:.0f} % of it ({:.1f} GFLOP an image, forward and backward)\n",
      options.architecture, options.labels, options.batch, options.image_size, options.threads,
      a_image, options.steps, options.batch, measured.peak / 1e9, 100 * fraction,
      work / static_cast<double>(options.batch) / 1e9);
  if (!paired) return;
  std::cout << fmt::format(
      "  without labels: {:.1f} ms an image, steps in turn with these\n"
      "  with / without: {:.3f} (median of {} pairs of steps)\n",
      plain, measured.over_plain, options.steps);
}

}  // namespace

int bench_step(int argc, char** argv) {
  StepOptions options;
  CLI::App app(
      "Times a training step (distance of labels, forward, backward, AdamW), in turn with the "
      "same\n"
      "step without labels, and the machine's matrix product in the same run; prints what the\n"
      "labels cost and what share of the product's speed the step reaches",
      "remixer bench step");
  tools::add_example(app, "remixer bench step --arch deit_tiny_patch16_224 --labels saliency");
  app.add_option("--arch", options.architecture, "architecture")->capture_default_str();
  app.add_option("--labels", options.labels,
                 "relabel (K = classes, cosine), saliency (K = 1, l1) or none")
      ->capture_default_str()
      ->check(CLI::IsMember({"relabel", "saliency", "none"}));
  app.add_option("--batch", options.batch, "images per step")
      ->capture_default_str()
      ->check(CLI::Range(1, 4096));
  app.add_option("--image-size", options.image_size, "default: the architecture's");
  app.add_option("--classes", options.classes)->capture_default_str()->check(CLI::Range(2, 100000));
  app.add_option("--steps", options.steps, "timed steps")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));
  app.add_option("--threads", options.threads)->capture_default_str()->check(CLI::Range(1, 1024));
  app.add_option("--format", options.format, "table or json")
      ->check(CLI::IsMember({"table", "json"}));
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    std::cerr << "remixer bench step: " << error.what() << " (see remixer bench step --help)\n";
    return kExitBadInput;
  }
  if (options.image_size == 0) {
    options.image_size = experiments::find_architecture(options.architecture).image_size;
  }
  at::set_num_threads(options.threads);
  Step step(options);
  report(options, step, measure(options, step));
  return kExitDone;
}

}  // namespace remixer::worker
