// SPDX-License-Identifier: Apache-2.0
#include "tools/labels/label_inspect.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <iostream>

#include "base/error.h"
#include "base/installation.h"
#include "base/text_table.h"
#include "core/dataset/dataset.h"
#include "labelcache/file/label_file_reader.h"
#include "tools/command/subcommand.h"
#include "tools/labels/label_drawing.h"
#include "tools/labels/label_quality.h"
#include "tools/labels/label_stats.h"

namespace remixer::labelcache {
namespace {

// Prints an object's values, one per line, or as JSON.
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

// Prints one sample's map: a dense one as hexadecimal digits 0 to f for at most 32 × 32 patches, a
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
  data::patch_labels(map, data::Region{}, grid, patches.data());
  for (int y = 0; y < grid; ++y) {
    for (int x = 0; x < grid; ++x) {
      const float value = patches[(static_cast<size_t>(y) * grid + x) * map.channels];
      fmt::print("{:x}", static_cast<int>(value * 15.0f + 0.5f));
    }
    fmt::print("\n");
  }
}

// The complete map.
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

void add_format(CLI::App& command, std::string& format) {
  command.add_option("--format", format, "table, json or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}));
}

}  // namespace

CLI::App* add_inspect(CLI::App& app, InspectOptions& options) {
  CLI::App* inspect_app =
      app.add_subcommand("inspect", "Show where a file's labels come from, or one map");
  tools::add_example(*inspect_app, "remixer labels inspect train.labels");
  inspect_app->add_option("file", options.file, "Label file")->required();
  inspect_app->add_option("sample", options.sample, "Sample id, to show its map");
  inspect_app->add_option("--png", options.png,
                          "Draw the map over its image, of --dataset, into this file");
  tools::add_dataset(*inspect_app, "--dataset", options.dataset);
  tools::add_workspace(*inspect_app, options.workspace);
  add_format(*inspect_app, options.format);
  return inspect_app;
}

int run_inspect(const InspectOptions& options) {
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
  if (options.dataset.empty()) fail_input("--png draws over the image: say --dataset too");
  const auto dataset = data::Dataset::open(
      tools::dataset_folder(options.dataset, options.workspace), reader.provenance().split);
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

CLI::App* add_verify(CLI::App& app, VerifyOptions& options) {
  CLI::App* verify_app = app.add_subcommand("verify", "Read everything and compare all checksums");
  tools::add_example(*verify_app, "remixer labels verify train.labels");
  verify_app->add_option("files", options.files, "Label files")->required();
  return verify_app;
}

int run_verify(const VerifyOptions& options) {
  int code = kExitDone;
  for (const std::string& file : options.files) {
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

CLI::App* add_stats(CLI::App& app, StatsOptions& options) {
  CLI::App* stats_app = app.add_subcommand("stats", "Print statistics over all maps");
  tools::add_example(*stats_app, "remixer labels stats train.labels --format json");
  stats_app->add_option("file", options.file, "Label file")->required();
  add_format(*stats_app, options.format);
  return stats_app;
}

int run_stats(const StatsOptions& options) {
  print(label_stats(LabelFileReader(options.file)), options.format);
  return kExitDone;
}

CLI::App* add_quality(CLI::App& app, QualityOptions& options) {
  CLI::App* quality_app = app.add_subcommand(
      "quality", "Measure how well a labeler agrees with a data set's boxes and true masks");
  tools::add_example(*quality_app,
                     "remixer labels quality saliency --dataset photos --split val --images 200");
  add_labeler_options(*quality_app, options.labeler);
  quality_app->add_option("--images", options.images, "Images, spread over the split")
      ->check(CLI::Range(1, 100000000))
      ->capture_default_str();
  quality_app->add_option("--grid", options.grid, "Patches per side, for the metrics of patches")
      ->check(CLI::Range(2, 64))
      ->capture_default_str();
  add_format(*quality_app, options.format);
  return quality_app;
}

int run_quality(const QualityOptions& options) {
  const auto dataset =
      data::Dataset::open(tools::dataset_folder(options.labeler.dataset, options.labeler.workspace),
                          options.labeler.split);
  at::set_num_threads(1);  // images are processed in parallel instead
  const auto labeler = open_labeler(options.labeler);
  print(label_quality({dataset, *labeler, options.images, options.grid}), options.format);
  return kExitDone;
}

}  // namespace remixer::labelcache
