// SPDX-License-Identifier: Apache-2.0
#include "tools/rehearsal/rehearsal_tool.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "tools/command/subcommand.h"
#include "tools/rehearsal/made_up_datasets.h"
#include "tools/rehearsal/made_up_weights.h"

namespace remixer::rehearsal {
namespace {

int make(const fs::path& order_file, const fs::path& workspace) {
  const Json order = Json::parse(read_file(order_file), nullptr, /*allow_exceptions=*/false);
  if (!order.is_object() || !order.contains("datasets") || !order.contains("weights")) {
    fail_input("{} is no order of a rehearsal", order_file.string());
  }
  const fs::path sources = workspace / "sources";
  for (const Json& each : order.at("datasets")) {
    make_dataset(dataset_order(each), sources, workspace);
  }
  Json made = Json::array();
  for (const Json& each : order.at("weights")) {
    const MadeWeights weights = make_weights(weights_order(each), sources, workspace);
    made.push_back({{"name", each.at("name")},
                    {"key", weights.key},
                    {"sha256", weights.sha256},
                    {"parameters", weights.parameters},
                    {"whole", weights.whole}});
  }
  std::cout << Json{{"weights", made}}.dump() << std::endl;
  return kExitDone;
}

}  // namespace

int rehearsal_command(int argc, char** argv) {
  CLI::App app{"Makes the data and weights of a rehearsal; `remixer rehearse` calls it",
               "remixer-tools rehearsal"};
  tools::add_example(app, "remixer-tools rehearsal order.json --workspace rehearsal");
  fs::path order, workspace;
  app.add_option("ORDER", order, "What to make, as JSON")->required();
  app.add_option("--workspace", workspace, "The rehearsal's workspace")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    fail_input("{}", error.what());
  }
  return make(order, workspace);
}

}  // namespace remixer::rehearsal
