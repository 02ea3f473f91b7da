// SPDX-License-Identifier: Apache-2.0
#include "tools/dataset/dataset_tool.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

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

// The data sets in a workspace. A folder without a valid dataset is listed with its problem.
Json datasets_table(const fs::path& workspace) {
  if (!fs::is_directory(workspace)) {
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

void print_table(const Json& rows, const std::vector<std::string>& columns,
                 const std::string& format) {
  std::vector<Column> headings;
  for (const std::string& column : columns) headings.push_back({column});
  Table table(headings);
  for (const Json& row : rows) {
    std::vector<Json> values;
    for (const std::string& column : columns) values.push_back(row.value(column, Json()));
    table.add_row(std::move(values));
  }
  fmt::print("{}", table.as(format_from_string(format)));
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

int list(const fs::path& workspace, const std::string& format) {
  if (!workspace.empty()) {
    print_table(datasets_table(workspace),
                {"dataset", "name", "made_by", "train", "evaluation", "content", "state"}, format);
    return kExitDone;
  }
  const Json builders = builders_table(), imports = imports_table();
  if (format == "json") {
    fmt::print("{}\n", Json{{"build", builders}, {"import", imports}}.dump(2));
    return kExitDone;
  }
  print_table(builders, {"builder", "image_size", "evaluation_sets", "parameters"}, format);
  fmt::print("\n");
  print_table(imports, {"import", "classes", "published", "description"}, format);
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

// The folder for `verify` and `sheet`: a given folder, or the workspace's dataset of that name.
fs::path find_dataset(const fs::path& given, const fs::path& workspace) {
  if (fs::exists(given)) return given;
  const auto named = experiments::folders_named(workspace, given.string());
  if (named.size() == 1) return named.front();
  fail_input("{} is neither a folder nor the name of a dataset in {}", given.string(),
             workspace.string());
}

}  // namespace

int dataset_command(int argc, char** argv) {
  CLI::App app{"Build, import and inspect data sets", "remixer dataset"};
  app.require_subcommand(1);

  const char* given = std::getenv("REMIXER_WORKSPACE");
  const fs::path usual_workspace = given && *given ? given : "workspace";
  BuildOptions building;
  building.workspace = usual_workspace;
  CLI::App* build_app = add_build(app, building);
  ImportOptions importing;
  importing.job.workspace = usual_workspace;
  CLI::App* import_app = add_import(app, importing);

  fs::path workspace;
  std::string format = "table";
  CLI::App* list_app = app.add_subcommand("list", "List builders, or the data sets of a workspace");
  list_app->add_option("--workspace", workspace, "Workspace whose data sets are listed");
  list_app->add_option("--format", format, "table, json or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}));

  fs::path verified;
  CLI::App* verify_app =
      app.add_subcommand("verify", "Decode every image and report what is wrong");
  verify_app->add_option("dataset", verified, "The data set's folder, or its name in the workspace")
      ->required();

  SheetOptions showing;
  CLI::App* sheet_app = app.add_subcommand("sheet", "Draw a contact sheet, one row per class");
  sheet_app
      ->add_option("dataset", showing.folder, "The data set's folder, or its name in the workspace")
      ->required();
  sheet_app->add_option("--output", showing.output, "PNG to write")->required();
  sheet_app->add_option("--splits", showing.splits, "Columns, in order (default: all)")
      ->delimiter(',');
  sheet_app->add_option("--cell", showing.cell, "Side of each image in pixels (default 64)");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    fmt::print(stderr, "remixer dataset: {}; see remixer dataset --help\n", error.what());
    return kExitBadInput;
  }
  if (build_app->parsed()) return run_build(building);
  if (import_app->parsed()) return run_import(importing);
  if (list_app->parsed()) return list(workspace, format);
  if (verify_app->parsed()) return verify(find_dataset(verified, usual_workspace));
  showing.folder = find_dataset(showing.folder, usual_workspace);
  return sheet(showing);
}

}  // namespace remixer::data
