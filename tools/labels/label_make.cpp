// SPDX-License-Identifier: Apache-2.0
#include "tools/labels/label_make.h"

#include <ATen/Parallel.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "base/clock.h"
#include "base/error.h"
#include "experiments/spec/components.h"
#include "experiments/spec/pins.h"
#include "labelcache/file/partial_file.h"
#include "labelcache/labelers/label_job.h"
#include "labelcache/labelers/label_pin.h"
#include "tools/command/device_option.h"
#include "tools/command/subcommand.h"
#include "tools/labels/labels_tool.h"

namespace remixer::labelcache {
namespace {

namespace fs = std::filesystem;

// "input_size=64" → {"input_size": 64}; a hash stays a string.
Json overrides_from(const std::vector<std::string>& parameters) {
  Json overrides = Json::object();
  for (const std::string& text : parameters) {
    const size_t equals = text.find('=');
    Json value;
    if (equals != std::string::npos) {
      value = Json::parse(text.substr(equals + 1), nullptr, /*allow_exceptions=*/false);
      if (text.substr(0, equals).ends_with("_sha256")) value = text.substr(equals + 1);
    }
    if (!value.is_number_integer() && !value.is_string()) {
      fail_input("a parameter is given as NAME=NUMBER, not as \"{}\"", text);
    }
    overrides[text.substr(0, equals)] = value;
  }
  return overrides;
}

// A line that is overwritten on a terminal; elsewhere one line every ten seconds.
class ProgressLine {
 public:
  void show(int64_t done, int64_t total) {
    const double now = system_clock().monotonic();
    // Work done by an earlier run does not count towards this run's speed.
    if (first_ < 0) first_ = done;
    if (done < total && now - shown_ < (terminal_ ? 0.5 : 10)) return;
    shown_ = now;
    const double rate = static_cast<double>(done - first_ + 1) / std::max(now - start_, 1e-3);
    fmt::print(stderr, "{}{} of {} images, {:.1f} a second, {} to go{}",
               terminal_ ? "\r\033[K" : "", done, total, rate,
               duration_text(static_cast<double>(total - done) / rate),
               terminal_ && done < total ? "" : "\n");
    std::fflush(stderr);
  }

 private:
  const bool terminal_ = ::isatty(STDERR_FILENO) != 0;
  const double start_ = system_clock().monotonic();
  double shown_ = start_;
  int64_t first_ = -1;
};

// Default name in a grid and for `remixer labels build`.
std::string usual_name(const Pin& pin, const fs::path& file) {
  return pin.kind.starts_with("script_") ? file.stem().string() : pin.kind;
}

experiments::LabelerSpec spec_of(const LabelerOptions& options) {
  return experiments::make_labeler_spec(options.labeler, overrides_from(options.parameters));
}

}  // namespace

void add_labeler_options(CLI::App& command, LabelerOptions& options) {
  options.weights = default_weights();
  std::vector<std::string> names;
  for (const auto& labeler : experiments::labelers()) names.push_back(labeler.name);
  command.add_option("labeler", options.labeler, fmt::format("One of {}", fmt::join(names, ", ")))
      ->required();
  command.add_option("parameters", options.parameters,
                     "NAME=NUMBER, such as input_size=64; NAME_sha256=HASH of your own weights");
  tools::add_dataset(command, "--dataset", options.dataset)->required();
  command.add_option("--split", options.split, "Split, such as train")->required();
  command.add_option("--weights", options.weights, "Folder of the networks' weights")
      ->capture_default_str();
  tools::add_workspace(command, options.workspace);
}

std::unique_ptr<Labeler> open_labeler(const LabelerOptions& options) {
  return make_labeler(spec_of(options),
                      {options.weights, experiments::weights_folder(options.workspace)});
}

CLI::App* add_build(CLI::App& app, BuildOptions& options) {
  CLI::App* build_app =
      app.add_subcommand("build", "Label one split of a data set; continues an interrupted run");
  tools::add_example(*build_app,
                     "remixer labels build saliency --dataset photos --split train --output "
                     "train.labels");
  add_labeler_options(*build_app, options.labeler);
  build_app->add_option("--output", options.output, "File to create")->required();
  build_app->add_option("--threads", options.threads, "Threads to compute with")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  tools::add_device_option(*build_app, options.device);
  build_app->add_flag("--skip-unreadable", options.skip_unreadable,
                      "Report images that cannot be read and give them an empty map");
  build_app->add_flag("--restart", options.restart, "Discard what an earlier run has done");
  return build_app;
}

int run_build(const BuildOptions& options) {
  LabelJob job;
  job.labeler = spec_of(options.labeler);
  job.dataset = tools::dataset_folder(options.labeler.dataset, options.labeler.workspace);
  job.split = options.labeler.split;
  job.output = options.output;
  job.weights = options.labeler.weights;
  job.pinned = experiments::weights_folder(options.labeler.workspace);
  job.skip_unreadable = options.skip_unreadable;
  if (options.restart) fs::remove(PartialFile::name_of(options.output));
  ProgressLine progress;
  job.on_progress = [&](int64_t done, int64_t total) {
    progress.show(done, total);
    return training::Directive::kContinue;
  };
  at::set_num_threads(static_cast<int>(options.threads));
  // The others are made on processors; CUDA takes seconds to load.
  const auto alone = tools::alone_on(job.labeler.has_weights() ? options.device : "cpu");
  const LabelOutcome outcome = build_labels(job, *alone);
  for (const std::string& why : outcome.unreadable) fmt::print(stderr, "skipped: {}\n", why);
  fmt::print(
      "{}: {} images in {}{}{}, content {}\n", options.output.string(), outcome.images,
      duration_text(outcome.seconds),
      outcome.resumed_at > 0 ? fmt::format(" ({} from an earlier run)", outcome.resumed_at) : "",
      outcome.unreadable.empty()
          ? ""
          : fmt::format(", {} of them unreadable and left empty", outcome.unreadable.size()),
      outcome.content_sha256);
  return kExitDone;
}

CLI::App* add_import(CLI::App& app, ImportOptions& options) {
  CLI::App* import_app =
      app.add_subcommand("import", "Make a label file from published maps or masks");
  tools::add_example(*import_app,
                     "remixer labels import png masks --dataset photos --split train --output "
                     "train.labels");
  import_app->add_option("format", options.job.format, "tokenlabeling, relabel, png or npy")
      ->required();
  import_app->add_option("maps", options.job.maps, "Folder of the maps, laid out as the images are")
      ->required();
  tools::add_dataset(*import_app, "--dataset", options.job.dataset)->required();
  tools::add_workspace(*import_app, options.workspace);
  import_app->add_option("--split", options.job.split, "Split, such as train")->required();
  import_app->add_option("--output", options.job.output, "File to create")->required();
  import_app->add_option("--classes", options.job.classes, "Classes of top-k maps")
      ->check(CLI::Range(2, 65536))
      ->capture_default_str();
  import_app->add_flag("--whole-images", options.job.whole_images,
                       "The data set's images are the photographs that the maps were made from");
  import_app
      ->add_option("--crop", options.job.crop,
                   "The images are centre squares of this share of the photographs' shorter side "
                   "(ImageNet-9 as released: 0.875)")
      ->check(CLI::Range(0.01, 1.0));
  import_app->add_option("--originals", options.job.originals,
                         "Folder of the photographs, if images are crops of them and maps are of "
                         "whole ones (relabel)");
  import_app->add_flag("--as-released", options.job.as_released,
                       "Stretch maps over the whole image, whatever part they were made from, as "
                       "the released code does");
  import_app->add_flag("--allow-missing", options.job.allow_missing,
                       "Give samples without a map an empty one");
  import_app->add_flag("--restart", options.restart, "Discard what an earlier run has done");
  return import_app;
}

int run_import(ImportOptions options) {
  ImportJob& job = options.job;
  job.dataset = tools::dataset_folder(job.dataset, options.workspace);
  if (options.restart) fs::remove(PartialFile::name_of(job.output));
  ProgressLine progress;
  job.on_progress = [&](int64_t done, int64_t total) { progress.show(done, total); };
  const ImportOutcome outcome = import_labels(job);
  fmt::print("{}: {} images{}, content {}\n", job.output.string(), outcome.images,
             outcome.missing > 0
                 ? fmt::format(", {} of them without a map and left empty", outcome.missing)
                 : "",
             outcome.content_sha256);
  return kExitDone;
}

CLI::App* add_pin(CLI::App& app, PinOptions& options) {
  CLI::App* pin_app =
      app.add_subcommand("pin",
                         "Copy your own weights, a network's description or label files into the "
                         "workspace, where grids find them by name or hash");
  tools::add_example(*pin_app, "remixer labels pin train.labels val.labels --name masks");
  pin_app
      ->add_option("files", options.files,
                   "A description (.toml), converted weights (.safetensors), or the label files of "
                   "all splits")
      ->required();
  pin_app->add_option("--name", options.name,
                      "Its name in grids [the description's file name, or the labeler's name]");
  tools::add_workspace(*pin_app, options.workspace);
  pin_app->add_option(
      "--weights", options.folder,
      "A folder instead of the workspace's; grids find the file there by hash only");
  return pin_app;
}

int run_pin(PinOptions options) {
  const bool elsewhere = !options.folder.empty();
  const fs::path folder =
      elsewhere ? options.folder : experiments::weights_folder(options.workspace);
  const std::string& first = options.files.front();
  const auto made = [&] {
    if (options.files.size() == 1 && first.ends_with(".toml")) return pin_script(first, folder);
    if (options.files.size() == 1 && first.ends_with(".safetensors")) {
      return pin_network(first, folder);
    }
    return pin_labels({options.files.begin(), options.files.end()}, folder);
  }();
  const std::string section = fmt::format("\n[labeler.NAME]\nkind = \"{}\"\n", made.kind);
  fmt::print("pinned in {}; in a grid file:\n", folder.string());
  if (!elsewhere) {
    if (options.name.empty()) options.name = usual_name(made, first);
    experiments::write_pin(options.workspace, options.name, {made.kind, made.key, made.sha256});
    fmt::print("{}pinned = \"{}\"\n\nor, the same whatever it is called:\n", section, options.name);
  }
  fmt::print("{}{} = \"{}\"\n", section, made.key, made.sha256);
  return kExitDone;
}

}  // namespace remixer::labelcache
