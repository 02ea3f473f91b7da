// SPDX-License-Identifier: Apache-2.0
#include "tools/labels/labels_tool.h"

#include <ATen/Parallel.h>
#include <unistd.h>

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "base/clock.h"
#include "base/error.h"
#include "base/installation.h"
#include "base/parallel.h"
#include "base/text_table.h"
#include "core/dataset/dataset.h"
#include "experiments/spec/components.h"
#include "experiments/spec/imported.h"
#include "experiments/spec/pins.h"
#include "labelcache/file/label_file_reader.h"
#include "labelcache/file/partial_file.h"
#include "labelcache/importers/label_import.h"
#include "labelcache/labelers/label_job.h"
#include "labelcache/labelers/label_pin.h"
#include "tools/bench/label_bench.h"
#include "tools/labels/label_drawing.h"
#include "tools/labels/label_quality.h"
#include "tools/labels/label_stats.h"

namespace remixer::labelcache {
namespace {

namespace fs = std::filesystem;

struct BuildOptions {
  std::string labeler, split;
  std::vector<std::string> parameters;
  fs::path dataset, output, weights, workspace;
  unsigned threads = available_threads();
  bool skip_unreadable = false, restart = false;
};

// {"input_size": 64} of "input_size=64"; a hash is text.
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

// One line that is overwritten on a terminal, a line every ten seconds elsewhere.
class ProgressLine {
 public:
  void show(int64_t done, int64_t total) {
    const double now = system_clock().monotonic();
    // What an earlier run did is no measure of this one's speed.
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

int build(const BuildOptions& options) {
  LabelJob job;
  job.labeler = experiments::labeler_entry(options.labeler, overrides_from(options.parameters));
  job.dataset = options.dataset;
  job.split = options.split;
  job.output = options.output;
  job.weights = options.weights;
  job.pinned = experiments::weights_folder(options.workspace);
  job.skip_unreadable = options.skip_unreadable;
  if (options.restart) fs::remove(PartialFile::name_of(options.output));
  ProgressLine progress;
  job.on_progress = [&](int64_t done, int64_t total) {
    progress.show(done, total);
    return training::Directive::kContinue;
  };
  at::set_num_threads(static_cast<int>(options.threads));
  training::SoloCommunicator alone;
  const LabelOutcome outcome = build_labels(job, alone);
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

int import(ImportJob job, bool restart) {
  if (restart) fs::remove(PartialFile::name_of(job.output));
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

// What a grid and `remixer labels build` call it unless told otherwise.
std::string usual_name(const Pin& pin, const fs::path& file) {
  return pin.kind.starts_with("script_") ? file.stem().string() : pin.kind;
}

struct PinOptions {
  std::vector<std::string> files;
  std::string name;
  fs::path workspace, folder;  // folder: empty for the workspace's
};

int pin(PinOptions options) {
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

// An object's values, one a line, or as JSON.
void print(const Json& object, const std::string& format) {
  if (format == "json") {
    std::cout << object.dump(2) << '\n';
    return;
  }
  Table table({{"name"}, {"value"}});
  for (const auto& [name, value] : object.items()) {
    table.add_row({name, value.is_structured() ? Json(value.dump()) : value});
  }
  std::cout << table.as(format_from_string(format));
}

Json description(const LabelFileReader& reader) {
  Json json = to_json(reader.provenance());
  json["content_sha256"] = reader.content_sha256();
  json["version"] = reader.version();
  json["blocks"] = reader.blocks();
  json["file_bytes"] = reader.file_bytes();
  return json;
}

// One sample's map as text: a dense one as hexadecimal digits 0 to f of at most 32 × 32 patches, a
// top-k one as the first class and its logit in each cell.
void print_map(const data::LabelMap& map) {
  if (map.top_k > 0) {
    for (int y = 0; y < map.height; ++y) {
      for (int x = 0; x < map.width; ++x) {
        const size_t cell = (static_cast<size_t>(y) * map.width + x) * map.top_k;
        fmt::print(" {:>4}:{:<5.2f}", map.indices[cell], map.values[cell]);
      }
      fmt::print("\n");
    }
    return;
  }
  const int grid = std::min({map.height, map.width, 32});
  std::vector<float> patches(static_cast<size_t>(grid) * grid * map.channels);
  data::patch_labels(map, {}, grid, patches.data());
  for (int y = 0; y < grid; ++y) {
    for (int x = 0; x < grid; ++x) {
      const float value = patches[(static_cast<size_t>(y) * grid + x) * map.channels];
      fmt::print("{:x}", static_cast<int>(value * 15.0f + 0.5f));
    }
    fmt::print("\n");
  }
}

// A map in full.
Json to_json(const data::LabelMap& map) {
  Json json = {{"height", map.height},
               {"width", map.width},
               {"channels", map.channels},
               {"top_k", map.top_k},
               {"cover", {map.cover.left, map.cover.top, map.cover.right, map.cover.bottom}},
               {"values", map.values}};
  if (map.top_k > 0) json["indices"] = map.indices;
  return json;
}

struct InspectOptions {
  fs::path file, dataset, png;
  std::string sample, format = "table";
};

int inspect(const InspectOptions& options) {
  const LabelFileReader reader(options.file);
  if (options.sample.empty()) {
    print(description(reader), options.format);
    return kExitDone;
  }
  const data::LabelMap map = reader.map(options.sample);
  if (options.png.empty() && options.format == "json") {
    std::cout << to_json(map).dump() << '\n';
    return kExitDone;
  }
  if (options.png.empty()) {
    print_map(map);
    return kExitDone;
  }
  if (options.dataset.empty()) fail_input("--png draws over the image: say --dataset FOLDER too");
  const auto dataset = data::Dataset::open(options.dataset, reader.provenance().split);
  const auto& samples = dataset.samples();
  const auto sample = std::find_if(samples.begin(), samples.end(), [&](const data::Sample& one) {
    return one.id == options.sample;
  });
  if (sample == samples.end()) {
    fail_input("{} has no sample {}", options.dataset.string(), options.sample);
  }
  data::write_png(options.png, draw_labels(data::read_image(dataset.image_path(*sample)), map));
  fmt::print("{}\n", options.png.string());
  return kExitDone;
}

struct QualityOptions {
  BuildOptions labeler;
  int64_t images = 500;
  int grid = 8;
  std::string format = "table";
};

int quality(const QualityOptions& options) {
  const auto dataset = data::Dataset::open(options.labeler.dataset, options.labeler.split);
  const Json entry = experiments::labeler_entry(options.labeler.labeler,
                                                overrides_from(options.labeler.parameters));
  at::set_num_threads(1);  // images go side by side instead
  const auto labeler = make_labeler(
      entry, {options.labeler.weights, experiments::weights_folder(options.labeler.workspace)});
  print(label_quality({dataset, *labeler, options.images, options.grid}), options.format);
  return kExitDone;
}

int verify(const std::vector<std::string>& files) {
  int code = kExitDone;
  for (const std::string& file : files) {
    try {
      const LabelFileReader reader(file);
      reader.verify();
      fmt::print("{}: whole, {} maps\n", file, reader.samples());
    } catch (const InputError& error) {
      fmt::print(stderr, "remixer labels: {}\n", error.what());
      code = kExitBadInput;
    }
  }
  return code;
}

int bench(const BenchOptions& options) {
  fs::create_directories(options.folder);
  bench_labels(options);
  fs::remove(options.folder / "bench.labels");
  std::error_code ignored;
  fs::remove(options.folder, ignored);  // where nothing else is in it
  return kExitDone;
}

void add_workspace(CLI::App* command, fs::path& workspace) {
  workspace = default_workspace();
  command
      ->add_option(
          "-w,--workspace", workspace,
          "Workspace whose weights/ has what was pinned [$REMIXER_WORKSPACE or ./workspace]")
      ->type_name("DIR");
}

// A folder, or the workspace's dataset of that name. What is neither is for whoever opens it to
// refuse.
fs::path dataset_folder(const fs::path& given, const fs::path& workspace) {
  if (given.empty() || fs::exists(given)) return given;
  const auto named = experiments::folders_named(workspace, given.string());
  return named.size() == 1 ? named.front() : given;
}

int run(int argc, char** argv) {
  CLI::App app{"Make and inspect files of object labels", "remixer labels"};
  app.require_subcommand(1);

  const auto add_labeler = [](CLI::App* command, BuildOptions& options) {
    options.weights = default_weights();
    std::vector<std::string> names;
    for (const auto& labeler : experiments::labelers()) names.push_back(labeler.name);
    command
        ->add_option("labeler", options.labeler, fmt::format("One of {}", fmt::join(names, ", ")))
        ->required();
    command->add_option("parameters", options.parameters,
                        "NAME=NUMBER, such as input_size=64; NAME_sha256=HASH of your own weights");
    command
        ->add_option("--dataset", options.dataset,
                     "The dataset's folder, or its name in the workspace")
        ->required();
    command->add_option("--split", options.split, "Split, such as train")->required();
    command->add_option("--weights", options.weights, "Folder of the networks' weights")
        ->capture_default_str();
    add_workspace(command, options.workspace);
  };
  BuildOptions building;
  CLI::App* build_app =
      app.add_subcommand("build", "Label one split of a data set; continues an interrupted run");
  add_labeler(build_app, building);
  build_app->add_option("--output", building.output, "File to create")->required();
  build_app->add_option("--threads", building.threads, "Threads to compute with")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  build_app->add_flag("--skip-unreadable", building.skip_unreadable,
                      "Report images that cannot be read and give them an empty map");
  build_app->add_flag("--restart", building.restart, "Discard what an earlier run has done");

  ImportJob importing;
  bool import_restart = false;
  CLI::App* import_app =
      app.add_subcommand("import", "Make a label file from published maps or masks");
  import_app->add_option("format", importing.format, "tokenlabeling, relabel, png or npy")
      ->required();
  import_app->add_option("maps", importing.maps, "Folder of the maps, laid out as the images are")
      ->required();
  import_app
      ->add_option("--dataset", importing.dataset,
                   "The dataset's folder, or its name in the workspace")
      ->required();
  import_app->add_option("--split", importing.split, "Split, such as train")->required();
  import_app->add_option("--output", importing.output, "File to create")->required();
  import_app->add_option("--classes", importing.classes, "Classes of top-k maps")
      ->check(CLI::Range(2, 65536))
      ->capture_default_str();
  import_app->add_flag("--whole-images", importing.whole_images,
                       "The data set's images are the photographs that the maps were made from");
  import_app
      ->add_option("--crop", importing.crop,
                   "The images are centre squares of this share of the photographs' shorter side "
                   "(ImageNet-9 as released: 0.875)")
      ->check(CLI::Range(0.01, 1.0));
  import_app->add_option("--originals", importing.originals,
                         "Folder of the photographs, if images are crops of them and maps are of "
                         "whole ones (relabel)");
  import_app->add_flag("--as-released", importing.as_released,
                       "Stretch maps over the whole image, whatever part they were made from, as "
                       "the released code does");
  import_app->add_flag("--allow-missing", importing.allow_missing,
                       "Give samples without a map an empty one");
  import_app->add_flag("--restart", import_restart, "Discard what an earlier run has done");

  PinOptions pinning;
  CLI::App* pin_app =
      app.add_subcommand("pin",
                         "Copy your own weights, a network's description or label files into the "
                         "workspace, where grids find them by name or hash");
  pin_app
      ->add_option("files", pinning.files,
                   "A description (.toml), converted weights (.safetensors), or the label files of "
                   "all splits")
      ->required();
  pin_app->add_option("--name", pinning.name,
                      "Its name in grids [the description's file name, or the labeler's name]");
  add_workspace(pin_app, pinning.workspace);
  pin_app->add_option(
      "--weights", pinning.folder,
      "A folder instead of the workspace's; grids find the file there by hash only");

  InspectOptions inspecting;
  CLI::App* inspect_app =
      app.add_subcommand("inspect", "Show where a file's labels come from, or one map");
  inspect_app->add_option("file", inspecting.file, "Label file")->required();
  inspect_app->add_option("sample", inspecting.sample, "Sample id, to show its map");
  inspect_app->add_option("--png", inspecting.png, "Draw the map over its image into this file");
  inspect_app->add_option("--dataset", inspecting.dataset,
                          "The dataset's folder or name, for --png");

  std::vector<std::string> verified;
  CLI::App* verify_app = app.add_subcommand("verify", "Read everything and compare all checksums");
  verify_app->add_option("files", verified, "Label files")->required();

  fs::path file;
  std::string stats_format = "table";
  CLI::App* stats_app = app.add_subcommand("stats", "Print statistics over all maps");
  stats_app->add_option("file", file, "Label file")->required();

  QualityOptions rating;
  CLI::App* quality_app = app.add_subcommand(
      "quality", "Measure how well a labeler agrees with a data set's boxes and true masks");
  add_labeler(quality_app, rating.labeler);
  quality_app->add_option("--images", rating.images, "Images, spread over the split")
      ->check(CLI::Range(1, 100000000))
      ->capture_default_str();
  quality_app->add_option("--grid", rating.grid, "Patches per side, for the metrics of patches")
      ->check(CLI::Range(2, 64))
      ->capture_default_str();

  BenchOptions timing;
  timing.folder = fs::temp_directory_path() / fmt::format("remixer-labels-bench-{}", ::getpid());
  CLI::App* bench_app =
      app.add_subcommand("bench", "Measure size and speed of a label file as large as ImageNet's");
  bench_app->add_option("--maps", timing.source,
                        "Label file with real top-k maps to repeat [synthetic maps]");
  bench_app->add_option("--images", timing.images, "Maps in the large file")
      ->check(CLI::Range(1000, 100000000))
      ->capture_default_str();
  bench_app->add_option("--folder", timing.folder, "Where it is made, and removed again");
  bench_app->add_option("--seconds", timing.seconds, "Seconds of each measurement")
      ->capture_default_str();

  for (auto [command, format] :
       {std::pair{inspect_app, &inspecting.format}, std::pair{stats_app, &stats_format},
        std::pair{quality_app, &rating.format}}) {
    command->add_option("--format", *format, "table, json or csv")
        ->check(CLI::IsMember({"table", "json", "csv"}));
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    fmt::print(stderr, "remixer labels: {}; see remixer labels --help\n", error.what());
    return kExitBadInput;
  }
  building.dataset = dataset_folder(building.dataset, building.workspace);
  rating.labeler.dataset = dataset_folder(rating.labeler.dataset, rating.labeler.workspace);
  importing.dataset = dataset_folder(importing.dataset, default_workspace());
  inspecting.dataset = dataset_folder(inspecting.dataset, default_workspace());
  if (build_app->parsed()) return build(building);
  if (import_app->parsed()) return import(importing, import_restart);
  if (pin_app->parsed()) return pin(pinning);
  if (inspect_app->parsed()) return inspect(inspecting);
  if (verify_app->parsed()) return verify(verified);
  if (quality_app->parsed()) return quality(rating);
  if (bench_app->parsed()) return bench(timing);
  print(label_stats(LabelFileReader(file)), stats_format);
  return kExitDone;
}

}  // namespace

fs::path default_weights() {
  return weights_folder(REMIXER_WEIGHTS_FOLDER);
}

fs::path default_workspace() {
  const char* folder = std::getenv("REMIXER_WORKSPACE");
  return folder != nullptr && *folder != '\0' ? folder : "workspace";
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
