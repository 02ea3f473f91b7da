// SPDX-License-Identifier: Apache-2.0
// Routes of the dashboard: browser login, the daemon's proof, the files of the page.
#include "coordinator/dashboard/assets.h"
#include "coordinator/http/route_table.h"
#include "experiments/protocol/proof.h"

namespace remixer::coordinator {
namespace {

// The page may run and load only the daemon's own files.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
constexpr const char* kNoticePolicy =
    "default-src 'none'; style-src 'unsafe-inline'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

HttpResponse with_headers(HttpResponse response, const char* policy) {
  response.headers.insert(response.headers.end(),
                          {{"Content-Security-Policy", policy},
                           {"Referrer-Policy", "no-referrer"},
                           {"Cross-Origin-Opener-Policy", "same-origin"},
                           {"Cross-Origin-Resource-Policy", "same-origin"}});
  return response;
}

// A page without scripts for browsers that are not logged in.
HttpResponse notice(int status, const std::string& head, const std::string& text) {
  HttpResponse response = text_response(
      "text/html; charset=utf-8",
      fmt::format(
          "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<meta name=\"viewport\" content=\"width=device-width\">{}<title>ReMixer</title>"
          "<style>:root{{color-scheme:light dark}}body{{font:1.1rem/1.6 system-ui,sans-serif;"
          "max-width:36rem;margin:15vh auto;padding:0 1.5rem}}code{{font-size:1.05em;"
          "padding:.15em .4em;border-radius:.3em;background:#8883}}</style></head>"
          "<body><h1>ReMixer</h1><p>{}</p></body></html>",
          head, text));
  response.status = status;
  return with_headers(std::move(response), kNoticePolicy);
}

HttpResponse open(const Guard& guard, const Call& call) {
  const auto cookie = guard.cookie_for(call.query("key"));
  if (!cookie) {
    return notice(403, "",
                  "This link was used already, or is too old. "
                  "<code>remixer dashboard</code> prints a new one.");
  }
  // Not a redirect: a strict cookie is only sent if the navigation starts on this page.
  HttpResponse response = notice(200, "<meta http-equiv=\"refresh\" content=\"0;url=/\">",
                                 "<a href=\"/\">To the dashboard</a>");
  response.headers.emplace_back("Set-Cookie", *cookie);
  return response;
}

HttpResponse asset(const std::string& name) {
  const Asset* found = find_asset(name);
  if (!found) return error_response(404, fmt::format("no file {}", name));
  return with_headers(text_response(content_type_of(name), std::string(found->bytes)), kPolicy);
}

HttpResponse page(const Guard& guard, const Call& call) {
  if (!guard.stranger(call.request)) return asset("index.html");
  return notice(401, "",
                "The dashboard is opened by a link that works once: "
                "<code>remixer dashboard</code> prints one.");
}

}  // namespace

void add_dashboard_routes(RouteTable& table, const RouteContext& context) {
  const auto* c = &context;
  using Access = RouteTable::Access;
  table.add(
      "GET", "/", [c](const Call& call) { return page(c->guard, call); }, Access::kAnybody);
  table.add(
      "GET", "/open", [c](const Call& call) { return open(c->guard, call); }, Access::kAnybody);
  table.add(
      "GET", "/api/v1/proof",
      [c](const Call& call) {
        const std::string nonce = call.query("nonce");
        if (!experiments::protocol::is_nonce(nonce)) {
          return error_response(400, "'nonce' must be 64 hexadecimal digits in lower case");
        }
        return HttpResponse{200, {{"proof", c->guard.proof(nonce)}}};
      },
      Access::kAnybody);
  table.add("GET", "/assets/{name}", [](const Call& call) { return asset(call.parameters[0]); });
  table.add("GET", "/api/v1/openapi.json", [](const Call&) { return asset("openapi.json"); });
  table.add("POST", "/api/v1/links", [c](const Call&) {
    return HttpResponse{200,
                        {{"url", c->guard.new_link()}, {"seconds", BrowserLogins::kLinkSeconds}}};
  });
}

}  // namespace remixer::coordinator
