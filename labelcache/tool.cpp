#include "labelcache/tool.h"

#include <ATen/Parallel.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/data/dataset.h"
#include "core/data/parallel.h"
#include "experiments/components.h"
#include "labelcache/cache_reader.h"
#include "labelcache/label_job.h"
#include "labelcache/label_stats.h"

namespace remixer::labelcache {
namespace {

using experiments::Json;
namespace fs = std::filesystem;

struct BuildOptions {
  std::string labeler, split;
  std::vector<std::string> parameters;
  fs::path dataset, output, weights;
  unsigned threads = data::available_threads();
};

// {"input_size": 64} of "input_size=64".
Json overrides_from(const std::vector<std::string>& parameters) {
  Json overrides = Json::object();
  for (const std::string& text : parameters) {
    const size_t equals = text.find('=');
    Json value;
    if (equals != std::string::npos) {
      value = Json::parse(text.substr(equals + 1), nullptr, /*allow_exceptions=*/false);
    }
    if (!value.is_number_integer()) {
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
    if (done < total && now - shown_ < (terminal_ ? 0.5 : 10)) return;
    shown_ = now;
    const double to_go =
        (now - start_) * static_cast<double>(total - done) / static_cast<double>(done);
    fmt::print(stderr, "{}{} of {} images, {} to go{}", terminal_ ? "\r\033[K" : "", done, total,
               duration_text(to_go), terminal_ && done < total ? "" : "\n");
    std::fflush(stderr);
  }

 private:
  const bool terminal_ = ::isatty(STDERR_FILENO) != 0;
  const double start_ = system_clock().monotonic();
  double shown_ = start_;
};

int build(const BuildOptions& options) {
  LabelJob job;
  job.labeler = experiments::labeler_entry(options.labeler, overrides_from(options.parameters));
  job.dataset = options.dataset;
  job.split = options.split;
  job.output = options.output;
  job.weights = options.weights;
  ProgressLine progress;
  job.on_progress = [&](int64_t done, int64_t total) {
    progress.show(done, total);
    return training::Directive::kContinue;
  };
  at::set_num_threads(static_cast<int>(options.threads));
  training::SoloCommunicator alone;
  const LabelOutcome outcome = build_labels(job, alone);
  fmt::print("{}: {} images in {}, content {}\n", options.output.string(), outcome.images,
             duration_text(outcome.seconds), outcome.content_sha256);
  return kExitDone;
}

// Values of an object as lines "name  value", or as JSON.
void print(const Json& object, const std::string& format) {
  if (format == "json") {
    std::cout << object.dump(2) << '\n';
    return;
  }
  for (const auto& [name, value] : object.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
    if (format == "csv") {
      fmt::print("{},{}\n", name,
                 text.find_first_of(",\"") == std::string::npos ? text : Json(text).dump());
    } else {
      fmt::print("{:<16} {}\n", name, text);
    }
  }
}

Json description(const CacheReader& reader) {
  Json json = to_json(reader.provenance());
  json["content_sha256"] = reader.content_sha256();
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

int inspect(const fs::path& file, const std::string& sample, const std::string& format) {
  const CacheReader reader(file);
  if (sample.empty()) {
    print(description(reader), format);
  } else {
    print_map(reader.map(sample));
  }
  return kExitDone;
}

int verify(const std::vector<std::string>& files) {
  int code = kExitDone;
  for (const std::string& file : files) {
    try {
      const CacheReader reader(file);
      reader.verify();
      fmt::print("{}: whole, {} maps\n", file, reader.samples());
    } catch (const InputError& error) {
      fmt::print(stderr, "remixer labels: {}\n", error.what());
      code = kExitBadInput;
    }
  }
  return code;
}

fs::path default_weights() {
  const char* folder = std::getenv("REMIXER_WEIGHTS");
  return folder != nullptr ? folder : REMIXER_WEIGHTS_FOLDER;
}

int run(int argc, char** argv) {
  CLI::App app{"Makes and inspects files of object labels", "remixer labels"};
  app.require_subcommand(1);

  BuildOptions building;
  building.weights = default_weights();
  CLI::App* build_app = app.add_subcommand("build", "Label one split of a dataset");
  build_app->add_option("labeler", building.labeler, "saliency, relabel or bbox_grabcut")
      ->required();
  build_app->add_option("parameters", building.parameters, "NAME=NUMBER, such as input_size=64");
  build_app->add_option("--dataset", building.dataset, "The dataset's folder")->required();
  build_app->add_option("--split", building.split, "Split, such as train")->required();
  build_app->add_option("--output", building.output, "File to make")->required();
  build_app->add_option("--weights", building.weights, "Folder of the networks' weights")
      ->capture_default_str();
  build_app->add_option("--threads", building.threads, "Threads to compute on")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();

  fs::path file;
  std::string sample, format = "table";
  CLI::App* inspect_app = app.add_subcommand("inspect", "Show where labels come from, or one map");
  inspect_app->add_option("file", file, "Label file")->required();
  inspect_app->add_option("sample", sample, "Sample id, to show its map");

  std::vector<std::string> verified;
  CLI::App* verify_app = app.add_subcommand("verify", "Read everything and compare all checksums");
  verify_app->add_option("files", verified, "Label files")->required();

  CLI::App* stats_app = app.add_subcommand("stats", "Figures over all maps");
  stats_app->add_option("file", file, "Label file")->required();
  for (CLI::App* shown : {inspect_app, stats_app}) {
    shown->add_option("--format", format, "table, json or csv")
        ->check(CLI::IsMember({"table", "json", "csv"}));
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    fmt::print(stderr, "remixer labels: {}; see remixer labels --help\n", error.what());
    return kExitBadInput;
  }
  if (build_app->parsed()) return build(building);
  if (inspect_app->parsed()) return inspect(file, sample, format);
  if (verify_app->parsed()) return verify(verified);
  print(label_stats(CacheReader(file)), format);
  return kExitDone;
}

}  // namespace

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
