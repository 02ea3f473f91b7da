// SPDX-License-Identifier: Apache-2.0
#include "tools/labels/labels_tool.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/error.h"
#include "base/installation.h"
#include "tools/bench/label_bench.h"
#include "tools/command/subcommand.h"
#include "tools/labels/label_inspect.h"
#include "tools/labels/label_make.h"

namespace remixer::labelcache {
namespace {

namespace fs = std::filesystem;

CLI::App* add_bench(CLI::App& app, BenchOptions& options) {
  options.folder = fs::temp_directory_path() / fmt::format("remixer-labels-bench-{}", ::getpid());
  CLI::App* bench_app =
      app.add_subcommand("bench", "Measure size and speed of a label file as large as ImageNet's");
  tools::add_example(*bench_app, "remixer labels bench --images 100000");
  bench_app->add_option("--maps", options.source,
                        "Label file with real top-k maps to repeat [synthetic maps]");
  bench_app->add_option("--images", options.images, "Maps in the large file")
      ->check(CLI::Range(1000, 100000000))
      ->capture_default_str();
  bench_app->add_option("--folder", options.folder, "Where it is made, and removed again");
  bench_app->add_option("--seconds", options.seconds, "Seconds of each measurement")
      ->capture_default_str();
  return bench_app;
}

int run_bench(const BenchOptions& options) {
  fs::create_directories(options.folder);
  bench_labels(options);
  fs::remove(options.folder / "bench.labels");
  std::error_code ignored;
  fs::remove(options.folder, ignored);  // if nothing else is in it
  return kExitDone;
}

int run(int argc, char** argv) {
  CLI::App app{"Make and inspect files of object labels", "remixer labels"};
  tools::add_example(app, "remixer labels inspect train.labels");
  app.require_subcommand(1);
  BuildOptions building;
  ImportOptions importing;
  PinOptions pinning;
  InspectOptions inspecting;
  VerifyOptions verifying;
  StatsOptions counting;
  QualityOptions rating;
  BenchOptions timing;
  const CLI::App* build = add_build(app, building);
  const CLI::App* import = add_import(app, importing);
  const CLI::App* pin = add_pin(app, pinning);
  const CLI::App* inspect = add_inspect(app, inspecting);
  const CLI::App* verify = add_verify(app, verifying);
  const CLI::App* stats = add_stats(app, counting);
  const CLI::App* quality = add_quality(app, rating);
  add_bench(app, timing);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    fmt::print(stderr, "remixer labels: {}; see remixer labels --help\n", error.what());
    return kExitBadInput;
  }
  if (build->parsed()) return run_build(building);
  if (import->parsed()) return run_import(importing);
  if (pin->parsed()) return run_pin(pinning);
  if (inspect->parsed()) return run_inspect(inspecting);
  if (verify->parsed()) return run_verify(verifying);
  if (stats->parsed()) return run_stats(counting);
  if (quality->parsed()) return run_quality(rating);
  return run_bench(timing);
}

}  // namespace

fs::path default_weights() {
  return weights_folder(REMIXER_WEIGHTS_FOLDER);
}

int labels_command(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const InputError& error) {
    fmt::print(stderr, "remixer labels: {}\n", error.what());
    return kExitBadInput;
  } catch (const std::exception& error) {
    fmt::print(stderr, "remixer labels: {}\n", error.what());
    return kExitFailure;
  }
}

}  // namespace remixer::labelcache
