// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "core/explain/saliency_picture.h"
#include "tools/command/subcommand.h"
#include "tools/model/model_command.h"

namespace remixer::worker {

int model_saliency(int argc, char** argv) {
  std::vector<std::string> headings, files;
  std::string output;
  CLI::App app(
      "Draws Table 4 from saliency maps that a grid made: original | a column for each file | its\n"
      "patch labels, with the images' classes and the models' answers.",
      "remixer model saliency");
  tools::add_example(app,
                     "remixer model saliency --heading DeiT --maps saliency.safetensors --output "
                     "table4.png");
  app.add_option("--maps", files, "a saliency task's saliency.safetensors; may be repeated")
      ->required();
  app.add_option("--heading", headings, "what stands above it, one for each --maps")->required();
  app.add_option("--output", output, "a .png file")->required();
  if (const int code = parse_arguments(app, argc, argv); code >= 0) return code;
  if (headings.size() != files.size()) fail_input("give one --heading for each --maps");
  std::vector<explain::SaliencyColumn> columns;
  for (size_t i = 0; i < files.size(); ++i)
    columns.push_back({headings[i], read_saliency(files[i])});
  data::write_png(output, explain::saliency_picture(columns));
  return kExitDone;
}

}  // namespace remixer::worker
