// SPDX-License-Identifier: Apache-2.0
#include "tools/bench/loader_bench.h"

#include <time.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <iostream>

#include "base/error.h"
#include "base/parallel.h"
#include "base/random.h"
#include "core/augment/augmentation.h"
#include "core/augment/erasing.h"
#include "core/augment/normalise.h"
#include "core/image/image_decode.h"
#include "core/image/image_files.h"
#include "core/image/image_listing.h"
#include "tools/command/subcommand.h"

namespace remixer::data {
namespace {

struct Arguments {
  std::string folder, format = "table", rand_augment = "none";
  int side = 224, rounds = 3;
  unsigned threads = 1;
  double erasing = 0;
};

double seconds_of(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

struct Rate {
  int64_t images = 0, unreadable = 0;
  double cpu_seconds = 0, wall_seconds = 0;
};

class Bench {
 public:
  explicit Bench(const Arguments& arguments)
      : arguments_(arguments), listing_(list_images(arguments.folder)) {
    experiments::Recipe recipe;
    recipe.random_resized_crop = true;
    recipe.rand_augment = arguments.rand_augment;
    recipe.random_erasing = arguments.erasing;
    settings_ = augmentation_settings(recipe, arguments.side);
  }

  // Reads every image once, each with its own crop.
  Rate round(uint64_t number) {
    Rate rate;
    std::atomic<int64_t> unreadable = 0;
    const double cpu = seconds_of(CLOCK_PROCESS_CPUTIME_ID), wall = seconds_of(CLOCK_MONOTONIC);
    const auto count = static_cast<int64_t>(listing_.images.size());
    parallel_for(count, arguments_.threads, [&](int64_t i) {
      try {
        load(number, static_cast<uint64_t>(i));
      } catch (const InputError& error) {
        if (number == 0) std::cerr << fmt::format("remixer bench: {}\n", error.what());
        ++unreadable;
      }
    });
    rate.cpu_seconds = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu;
    rate.wall_seconds = seconds_of(CLOCK_MONOTONIC) - wall;
    rate.unreadable = unreadable;
    rate.images = count - unreadable;
    return rate;
  }

 private:
  void load(uint64_t round, uint64_t number) {
    const auto path = std::filesystem::path(arguments_.folder) / listing_.images[number].path;
    const std::string name = path.string(), bytes = read_image_bytes(path);
    Random random(0, RandomPurpose::kAugment, round, number);
    const bool mirrored = random.uniform() < 0.5;
    Augmentation augmentation =
        draw_augmentation(settings_, decode_size(bytes, name), mirrored, random);
    augmentation.mirrored = mirrored && !augmentation.operations.empty();
    const Image image = augment(augmentation, bytes, name);
    thread_local std::vector<float> out;
    out.resize(image.pixels.size());
    normaliser_.write(image.pixels.data(), image.width, image.height,
                      mirrored && !augmentation.mirrored, out.data());
    if (augmentation.erased) erase(*augmentation.erased, settings_.side, random, out.data());
  }

  const Arguments& arguments_;
  ImageListing listing_;
  AugmentationSettings settings_;
  Normaliser normaliser_{{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
};

}  // namespace

int bench_loader_command(int argc, char** argv) {
  Arguments arguments;
  CLI::App app(
      "Reads every image below FOLDER as training does: decode, random resized crop, mirror, "
      "normalise",
      "remixer bench loader");
  tools::add_example(app, "remixer bench loader photos/train --threads 2");
  app.add_option("folder", arguments.folder, "A folder with one folder per class, or a tar archive")
      ->required();
  app.add_option("--side", arguments.side, "Side of the result in pixels")
      ->capture_default_str()
      ->check(CLI::Range(8, 4096));
  app.add_option("--threads", arguments.threads, "Threads that read")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  app.add_option("--rounds", arguments.rounds,
                 "Times that each image is read; the fastest round counts")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  app.add_option("--rand-augment", arguments.rand_augment,
                 "A policy, for example rand-m9-mstd0.5-inc1")
      ->capture_default_str();
  app.add_option("--erasing", arguments.erasing, "Probability that a rectangle is erased")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--format", arguments.format, "table or json")
      ->capture_default_str()
      ->check(CLI::IsMember({"table", "json"}));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitDone : kExitBadInput;
  }

  Bench bench(arguments);
  bench.round(0);  // fills the page cache
  Rate best;
  for (int i = 1; i <= arguments.rounds; ++i) {
    const Rate rate = bench.round(static_cast<uint64_t>(i));
    if (i == 1 || rate.cpu_seconds < best.cpu_seconds) best = rate;
  }
  if (best.images == 0) fail_input("{}: no image can be read", arguments.folder);
  const auto images = static_cast<double>(best.images);
  if (arguments.format == "json") {
    std::cout << fmt::format(
        "{{\"images\": {}, \"unreadable\": {}, \"images_per_cpu_second\": {:.1f}, "
        "\"images_per_second\": {:.1f}, \"threads\": {}}}\n",
        best.images, best.unreadable, images / best.cpu_seconds, images / best.wall_seconds,
        arguments.threads);
  } else {
    std::cout << fmt::format(
        "{} images to {} x {}: {:.0f} a second a core ({:.2f} ms of a core each), {:.0f} a second "
        "on "
        "{} thread{}{}\n",
        best.images, arguments.side, arguments.side, images / best.cpu_seconds,
        1e3 * best.cpu_seconds / images, images / best.wall_seconds, arguments.threads,
        arguments.threads == 1 ? "" : "s",
        best.unreadable > 0 ? fmt::format("; {} cannot be read", best.unreadable) : "");
  }
  return kExitDone;
}

}  // namespace remixer::data
