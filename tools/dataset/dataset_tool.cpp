// SPDX-License-Identifier: Apache-2.0
#include "tools/dataset/dataset_tool.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/error.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/text_table.h"
#include "core/dataset/contact_sheet.h"
#include "core/dataset/dataset.h"
#include "core/dataset/published_sets.h"
#include "core/dataset/verify.h"
#include "experiments/spec/components.h"
#include "experiments/spec/imported.h"
#include "tools/command/subcommand.h"
#include "tools/dataset/dataset_make.h"

namespace remixer::data {

namespace {

// The available builders.
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

// The data sets in a workspace; none if there is no workspace yet. A folder without a valid dataset
// is listed with its problem.
Json datasets_table(const fs::path& workspace) {
  if (fs::exists(workspace) && !fs::is_directory(workspace)) {
    fail_input("{} is not a folder; name a workspace", workspace.string());
  }
  Json rows = Json::array();
  std::vector<fs::path> folders;
  if (fs::is_directory(workspace / "datasets")) {
    for (const auto& entry : fs::directory_iterator(workspace / "datasets")) {
      // A name that begins with a dot is a dataset under construction.
      if (entry.path().filename().string()[0] != '.') folders.push_back(entry.path());
    }
  }
  std::sort(folders.begin(), folders.end());
  for (const fs::path& folder : folders) {
    Json row = {{"dataset", folder.filename().string()},
                {"name", ""},
                {"made_by", ""},
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
      const Json manifest = Json::parse(read_file(folder / "manifest.json"));
      row["name"] =
          fmt::format("{}", fmt::join(experiments::manifest_list(manifest, "name"), ", "));
      const Json made_by = manifest.value("made_by", Json::object());
      row["made_by"] =
          made_by.contains("import")
              ? "import " + made_by["import"].get<std::string>()
              : "build " + made_by.value("builder", manifest["spec"].value("builder", ""));
    } catch (const Error& error) {
      row["state"] = error.what();
    }
    rows.push_back(row);
  }
  return rows;
}

// The data sets that `import` supports.
Json imports_table() {
  Json rows = Json::array();
  for (const PublishedSet& set : published_sets()) {
    std::string images;
    for (const auto& [split, count] : set.images) {
      images += fmt::format("{}{} {}", images.empty() ? "" : ", ", split, count);
    }
    rows.push_back({{"import", set.name},
                    {"classes", set.classes},
                    {"published", set.layout == SetLayout::kChallengeRelease ? "8 x 4050" : images},
                    {"description", set.description}});
  }
  return rows;
}

struct ListOptions {
  fs::path workspace;
  std::string format = "table";
};

CLI::App* add_list(CLI::App& app, ListOptions& options) {
  CLI::App* list_app = app.add_subcommand(
      "list", "List the data sets of the workspace, and what can be built and imported");
  tools::add_example(*list_app, "remixer dataset list");
  tools::add_workspace(*list_app, options.workspace);
  list_app->add_option("--format", options.format, "table, json or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}));
  return list_app;
}

// A part of the list. In CSV the names of its columns stand for the heading.
void print_part(const std::string& heading, const Json& rows,
                const std::vector<std::string>& columns, Format format) {
  if (format == Format::kTable) fmt::print("{}{}\n", heading, rows.empty() ? ": none" : "");
  if (format == Format::kTable && rows.empty()) return;
  std::vector<Column> headings;
  for (const std::string& column : columns) headings.push_back({column});
  Table table(headings);
  for (const Json& row : rows) {
    std::vector<Json> values;
    for (const std::string& column : columns) values.push_back(row.value(column, Json()));
    table.add_row(std::move(values));
  }
  fmt::print("{}", table.as(format));
}

int run_list(const ListOptions& options) {
  const Json datasets = datasets_table(options.workspace);
  const Json builders = builders_table(), imports = imports_table();
  const Format format = format_from_string(options.format);
  if (format == Format::kJson) {
    fmt::print("{}\n",
               Json{{"datasets", datasets}, {"build", builders}, {"import", imports}}.dump(2));
    return kExitDone;
  }
  print_part(fmt::format("Data sets of the workspace {}{}", options.workspace.string(),
                         fs::exists(options.workspace) ? "" : " (no such folder)"),
             datasets, {"dataset", "name", "made_by", "train", "evaluation", "content", "state"},
             format);
  fmt::print("\n");
  print_part("To build: remixer dataset build BUILDER", builders,
             {"builder", "image_size", "evaluation_sets", "parameters"}, format);
  fmt::print("\n");
  print_part("To import: remixer dataset import KIND FOLDER", imports,
             {"import", "classes", "published", "description"}, format);
  return kExitDone;
}

// A data set that is read.
struct ReadOptions {
  fs::path dataset, workspace;

  fs::path folder() const { return tools::dataset_folder(dataset, workspace); }
  void add_to(CLI::App& command) {
    tools::add_dataset(command, "dataset", dataset)->required();
    tools::add_workspace(command, workspace);
  }
};

CLI::App* add_verify(CLI::App& app, ReadOptions& options) {
  CLI::App* verify_app =
      app.add_subcommand("verify", "Decode every image and report what is wrong");
  tools::add_example(*verify_app, "remixer dataset verify photos");
  options.add_to(*verify_app);
  return verify_app;
}

int run_verify(const ReadOptions& options) {
  const fs::path folder = options.folder();
  constexpr size_t kShown = 20;
  Progress progress("verifying");
  const Verification result =
      verify_dataset(folder, [&](int64_t done, int64_t total) { progress(done, total); });
  for (const auto& [split, images] : result.images)
    fmt::print("{:<12} {:>8} images\n", split, images);
  fmt::print("{:<12} {:>8}\n", "masks", result.masks);
  for (size_t i = 0; i < std::min(kShown, result.differences.size()); ++i) {
    fmt::print("differs from what was published: {}\n", result.differences[i]);
  }
  if (result.differences.size() > kShown) {
    fmt::print("and {} differences more\n", result.differences.size() - kShown);
  }
  for (size_t i = 0; i < std::min(kShown, result.problems.size()); ++i) {
    fmt::print("{}\n", result.problems[i]);
  }
  if (result.problems.size() > kShown) {
    fmt::print("and {} problems more\n", result.problems.size() - kShown);
  }
  if (result.problems.empty()) {
    fmt::print("sound: every file decodes and the content hash is the manifest's{}\n",
               result.differences.empty() ? "" : "; but it is not the whole of what was published");
    return kExitDone;
  }
  fmt::print(stderr, "remixer dataset: {} is not sound ({} found); build it again\n",
             folder.string(), result.problems.size());
  return kExitFailure;
}

struct SheetOptions {
  ReadOptions read;
  fs::path output;
  std::vector<std::string> splits;
  int cell = 64;
};

CLI::App* add_sheet(CLI::App& app, SheetOptions& options) {
  CLI::App* sheet_app = app.add_subcommand("sheet", "Draw a contact sheet, one row per class");
  tools::add_example(*sheet_app, "remixer dataset sheet photos --output sheet.png");
  options.read.add_to(*sheet_app);
  sheet_app->add_option("--output", options.output, "PNG to write")->required();
  sheet_app->add_option("--splits", options.splits, "Columns, in order (default: all)")
      ->delimiter(',');
  sheet_app->add_option("--cell", options.cell, "Side of each image in pixels (default 64)");
  return sheet_app;
}

int run_sheet(const SheetOptions& options) {
  const fs::path folder = options.read.folder();
  const std::vector<std::string> splits =
      options.splits.empty() ? dataset_splits(folder) : options.splits;
  write_png(options.output, contact_sheet(folder, splits, options.cell));
  fmt::print("{}: columns {}\n", options.output.string(), fmt::join(splits, ", "));
  return kExitDone;
}

}  // namespace

int dataset_command(int argc, char** argv) {
  CLI::App app{"Build, import and inspect data sets", "remixer dataset"};
  tools::add_example(app, "remixer dataset build fashion-bg");
  app.require_subcommand(1);
  BuildOptions building;
  ImportOptions importing;
  ListOptions listing;
  ReadOptions verifying;
  SheetOptions showing;
  const CLI::App* build = add_build(app, building);
  const CLI::App* import = add_import(app, importing);
  const CLI::App* list = add_list(app, listing);
  const CLI::App* verify = add_verify(app, verifying);
  add_sheet(app, showing);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    fmt::print(stderr, "remixer dataset: {}; see remixer dataset --help\n", error.what());
    return kExitBadInput;
  }
  if (build->parsed()) return run_build(building);
  if (import->parsed()) return run_import(importing);
  if (list->parsed()) return run_list(listing);
  if (verify->parsed()) return run_verify(verifying);
  return run_sheet(showing);
}

}  // namespace remixer::data
