#include "core/data/tool.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/file.h"
#include "core/data/builder.h"
#include "core/data/contact_sheet.h"
#include "core/data/dataset.h"
#include "core/data/verify.h"
#include "experiments/components.h"

namespace remixer::data {

namespace {

using experiments::Json;

// "  4224 of 16000 images, 3 s to go", once a second on a terminal, every ten seconds elsewhere.
class Progress {
 public:
  explicit Progress(const char* what) : what_(what), terminal_(::isatty(STDERR_FILENO) != 0) {}
  ~Progress() {
    if (terminal_ && shown_ > 0) fmt::print(stderr, "\r\033[K");
  }

  void operator()(int64_t done, int64_t total) {
    const double now = system_clock().monotonic();
    if (now - last_ < (terminal_ ? 1 : 10)) return;
    last_ = now;
    ++shown_;
    const double to_go = (now - start_) / static_cast<double>(std::max<int64_t>(done, 1)) *
                         static_cast<double>(total - done);
    fmt::print(stderr, "{}{}: {} of {} images, {} to go{}", terminal_ ? "\r\033[K" : "", what_,
               done, total, duration_text(to_go), terminal_ ? "" : "\n");
    std::fflush(stderr);
  }

 private:
  const char* what_;
  bool terminal_;
  double start_ = system_clock().monotonic(), last_ = start_;
  int shown_ = 0;
};

// Where a workspace keeps the dataset that `entry` describes.
fs::path folder_in_workspace(const fs::path& workspace, const Json& entry) {
  return workspace / "datasets" / experiments::content_id(entry).substr(0, 16);
}

// "train_images=8000" as a member of `overrides`.
void add_override(const std::string& text, Json& overrides) {
  const size_t equals = text.find('=');
  const Json value = equals == std::string::npos ? Json()
                                                 : Json::parse(text.substr(equals + 1), nullptr,
                                                               /*allow_exceptions=*/false);
  if (!value.is_number_integer()) {
    fail_input("a parameter is given as NAME=NUMBER, not as \"{}\"", text);
  }
  overrides[text.substr(0, equals)] = value;
}

struct BuildOptions {
  std::string builder;
  std::vector<std::string> parameters;
  fs::path output, workspace;
};

int build(const BuildOptions& options) {
  Json overrides = Json::object();
  for (const std::string& parameter : options.parameters) add_override(parameter, overrides);
  const Json entry = experiments::dataset_entry(options.builder, overrides);
  const fs::path folder =
      options.output.empty() ? folder_in_workspace(options.workspace, entry) : options.output;
  if (options.output.empty() && fs::exists(folder / "manifest.json")) {
    fmt::print("{} is built already\n", folder.string());
    return kExitDone;
  }
  Progress progress("building");
  const double start = system_clock().monotonic();
  build_dataset(entry, folder, [&](int64_t done, int64_t total) { progress(done, total); });
  const Dataset train = Dataset::open(folder, "train");
  fmt::print("{}: built in {:.1f} s, content {}\n", folder.string(),
             system_clock().monotonic() - start, train.content_hash().substr(0, 16));
  return kExitDone;
}

// What there is to build.
Json builders_table() {
  Json rows = Json::array();
  for (const experiments::DatasetBuilder& builder : experiments::dataset_builders()) {
    std::string parameters;
    for (const experiments::Parameter& parameter : builder.parameters) {
      parameters +=
          fmt::format("{}{}={}", parameters.empty() ? "" : " ", parameter.name, parameter.value);
    }
    rows.push_back({{"builder", builder.name},
                    {"image_size", builder.image_size},
                    {"evaluation_sets", builder.evaluation_sets.size()},
                    {"parameters", parameters}});
  }
  return rows;
}

// What a workspace holds. A folder that is no sound dataset is listed with what is wrong.
Json datasets_table(const fs::path& workspace) {
  if (!fs::is_directory(workspace)) {
    fail_input("{} is not a folder; name a workspace", workspace.string());
  }
  Json rows = Json::array();
  std::vector<fs::path> folders;
  if (fs::is_directory(workspace / "datasets")) {
    for (const auto& entry : fs::directory_iterator(workspace / "datasets")) {
      // A name with a dot in front is a dataset in the making.
      if (entry.path().filename().string()[0] != '.') folders.push_back(entry.path());
    }
  }
  std::sort(folders.begin(), folders.end());
  for (const fs::path& folder : folders) {
    Json row = {{"dataset", folder.filename().string()},
                {"builder", ""},
                {"train", 0},
                {"evaluation", 0},
                {"content", ""},
                {"state", "whole"}};
    try {
      int64_t evaluation = 0;
      for (const std::string& split : dataset_splits(folder)) {
        const Dataset dataset = Dataset::open(folder, split);
        const auto count = static_cast<int64_t>(dataset.samples().size());
        if (split == "train")
          row["train"] = count;
        else
          evaluation += count;
        row["content"] = dataset.content_hash().substr(0, 16);
      }
      row["evaluation"] = evaluation;
      row["builder"] =
          Json::parse(read_file(folder / "manifest.json"))["spec"].value("builder", "");
    } catch (const Error& error) {
      row["state"] = error.what();
    }
    rows.push_back(row);
  }
  return rows;
}

std::string cell_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string csv_text(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

void print_table(const Json& rows, const std::vector<std::string>& columns,
                 const std::string& format) {
  if (format == "json") {
    fmt::print("{}\n", rows.dump(2));
    return;
  }
  std::vector<std::vector<std::string>> lines{columns};
  for (const Json& row : rows) {
    lines.emplace_back();
    for (const std::string& column : columns) lines.back().push_back(cell_text(row[column]));
  }
  std::vector<size_t> widths(columns.size());
  for (const auto& line : lines) {
    for (size_t c = 0; c < line.size(); ++c) widths[c] = std::max(widths[c], line[c].size());
  }
  for (const auto& line : lines) {
    std::string text;
    for (size_t c = 0; c < line.size(); ++c) {
      const bool last = c + 1 == line.size();
      text += format == "csv" ? csv_text(line[c]) + (last ? "" : ",")
              : last          ? line[c]
                              : fmt::format("{:<{}}  ", line[c], widths[c]);
    }
    fmt::print("{}\n", text);
  }
}

int list(const fs::path& workspace, const std::string& format) {
  if (workspace.empty()) {
    print_table(builders_table(), {"builder", "image_size", "evaluation_sets", "parameters"},
                format);
  } else {
    print_table(datasets_table(workspace),
                {"dataset", "builder", "train", "evaluation", "content", "state"}, format);
  }
  return kExitDone;
}

int verify(const fs::path& folder) {
  constexpr size_t kShown = 20;
  Progress progress("verifying");
  const Verification result =
      verify_dataset(folder, [&](int64_t done, int64_t total) { progress(done, total); });
  for (const auto& [split, images] : result.images)
    fmt::print("{:<12} {:>8} images\n", split, images);
  fmt::print("{:<12} {:>8}\n", "masks", result.masks);
  for (size_t i = 0; i < std::min(kShown, result.problems.size()); ++i) {
    fmt::print("{}\n", result.problems[i]);
  }
  if (result.problems.size() > kShown) {
    fmt::print("and {} problems more\n", result.problems.size() - kShown);
  }
  if (result.problems.empty()) {
    fmt::print("sound: every file decodes and the content hash is the manifest's\n");
    return kExitDone;
  }
  fmt::print(stderr, "remixer dataset: {} is not sound ({} found); build it again\n",
             folder.string(), result.problems.size());
  return kExitFailure;
}

struct SheetOptions {
  fs::path folder, output;
  std::vector<std::string> splits;
  int cell = 64;
};

int sheet(const SheetOptions& options) {
  const std::vector<std::string> splits =
      options.splits.empty() ? dataset_splits(options.folder) : options.splits;
  write_png(options.output, contact_sheet(options.folder, splits, options.cell));
  fmt::print("{}: columns {}\n", options.output.string(), fmt::join(splits, ", "));
  return kExitDone;
}

}  // namespace

int dataset_command(int argc, char** argv) {
  CLI::App app{"Builds and inspects datasets", "remixer dataset"};
  app.require_subcommand(1);

  BuildOptions building;
  CLI::App* build_app = app.add_subcommand("build", "Build a dataset from what is on the machine");
  build_app->add_option("builder", building.builder, "Builder, such as fashion-bg")->required();
  build_app->add_option("parameters", building.parameters,
                        "NAME=NUMBER, such as train_images=2000");
  const char* given = std::getenv("REMIXER_WORKSPACE");
  building.workspace = given && *given ? given : "workspace";
  auto* output = build_app->add_option("--output", building.output, "Folder to make");
  build_app->add_option("--workspace", building.workspace,
                        "Workspace to put it in, under its id [$REMIXER_WORKSPACE or ./workspace]")
      ->excludes(output);

  fs::path workspace;
  std::string format = "table";
  CLI::App* list_app = app.add_subcommand("list", "List builders, or a workspace's datasets");
  list_app->add_option("--workspace", workspace, "Workspace whose datasets to list");
  list_app->add_option("--format", format, "table, json or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}));

  fs::path verified;
  CLI::App* verify_app = app.add_subcommand("verify", "Decode every image and name what is wrong");
  verify_app->add_option("folder", verified, "The dataset's folder")->required();

  SheetOptions showing;
  CLI::App* sheet_app = app.add_subcommand("sheet", "Draw a contact sheet: a row a class");
  sheet_app->add_option("folder", showing.folder, "The dataset's folder")->required();
  sheet_app->add_option("--output", showing.output, "PNG to write")->required();
  sheet_app->add_option("--splits", showing.splits, "Columns, in order (default: all)")
      ->delimiter(',');
  sheet_app->add_option("--cell", showing.cell, "Pixels a side of each image (default 64)");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    fmt::print(stderr, "remixer dataset: {}; see remixer dataset --help\n", error.what());
    return kExitBadInput;
  }
  if (build_app->parsed()) return build(building);
  if (list_app->parsed()) return list(workspace, format);
  if (verify_app->parsed()) return verify(verified);
  return sheet(showing);
}

}  // namespace remixer::data
