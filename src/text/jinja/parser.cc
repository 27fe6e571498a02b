#include "text/jinja/parser.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "text/jinja/expression_parser.h"

namespace reveille::text::jinja {
namespace {

constexpr int kMaxBlockDepth = 60;

class Parser : public ExpressionParser {
 public:
  using ExpressionParser::ExpressionParser;

  Block run() { return block({}); }

 private:
  using StatementParser = StmtPtr (Parser::*)(StmtPtr);

  // Statements up to one of the tags `until`, whose name is then current.
  Block block(std::initializer_list<std::string_view> until) {
    Block out;
    for (;;) {
      int line = current().line;
      if (current().kind == TokenKind::end) {
        if (until.size() == 0) return out;
        fail_at(line, cat("the template ends where '", *(until.end() - 1), "' is expected"));
      }
      if (current().kind == TokenKind::block_begin) {
        take();
        if (std::find(until.begin(), until.end(), current().text) != until.end()) return out;
        out.push_back(statement());
        expect(TokenKind::block_end, "'%}'");
      } else {
        out.push_back(output());
      }
    }
  }

  // The body of a statement whose opening tag is read up to its end.
  Block body(std::initializer_list<std::string_view> until) {
    if (++depth_ > kMaxBlockDepth) {
      fail_at(current().line, cat("statements are nested deeper than the limit of ", kMaxBlockDepth));
    }
    skip_symbol(":");
    expect(TokenKind::block_end, "'%}'");
    Block out = block(until);
    --depth_;
    return out;
  }

  Block last_body(std::string_view until) {
    Block out = body({until});
    take();
    return out;
  }

  StmtPtr start(StmtKind kind) {
    auto out = std::make_unique<Stmt>();
    out->kind = kind;
    out->line = current().line;
    return out;
  }

  StmtPtr output() {
    auto out = start(StmtKind::output);
    if (current().kind == TokenKind::data) {
      out->expr = make(ExprKind::constant, current().line);
      out->expr->value = Value(marked_text(take().text, kFromTemplate));
      return out;
    }
    expect(TokenKind::output_begin, "'{{'");
    out->expr = tuple(true);
    expect(TokenKind::output_end, "'}}'");
    return out;
  }

  StmtPtr statement() {
    static const std::map<std::string, std::pair<StmtKind, StatementParser>, std::less<>> kStatements = {
        {"if", {StmtKind::if_else, &Parser::if_else}},
        {"for", {StmtKind::for_loop, &Parser::for_loop}},
        {"set", {StmtKind::set, &Parser::set}},
        {"macro", {StmtKind::macro, &Parser::macro}},
        {"call", {StmtKind::call_block, &Parser::call_block}},
        {"filter", {StmtKind::filter, &Parser::filter_block}},
        {"with", {StmtKind::with, &Parser::with}},
        {"print", {StmtKind::output, &Parser::print}},
        {"generation", {StmtKind::generation, &Parser::generation}},
        {"break", {StmtKind::break_loop, &Parser::leave}},
        {"continue", {StmtKind::continue_loop, &Parser::leave}},
    };
    if (current().kind != TokenKind::name) fail_at(current().line, cat("expected a tag, got ", describe(current())));
    auto found = kStatements.find(current().text);
    if (found == kStatements.end()) unknown_tag();
    auto out = start(found->second.first);
    tag_ = take().text;
    return (this->*found->second.second)(std::move(out));
  }

  [[noreturn]] void unknown_tag() {
    static constexpr std::string_view kKnown[] = {"block", "extends", "include", "import", "from", "autoescape"};
    bool known = std::find(std::begin(kKnown), std::end(kKnown), current().text) != std::end(kKnown);
    if (!known) fail_at(current().line, cat("unknown tag '", current().text, "'"));
    fail_at(current().line, cat("the tag '", current().text, "' is not supported in a chat template"),
            ErrorKind::unsupported);
  }

  StmtPtr if_else(StmtPtr out) {
    for (;;) {
      Branch branch;
      branch.test = tuple(false);
      branch.body = body({"elif", "else", "endif"});
      out->branches.push_back(std::move(branch));
      std::string next = take().text;
      if (next == "elif") continue;
      if (next == "else") out->branches.push_back(Branch{nullptr, last_body("endif")});
      return out;
    }
  }

  StmtPtr for_loop(StmtPtr out) {
    out->target = assign_target(false, "in");
    if (!skip_name("in")) fail_at(out->line, cat("expected 'in' in 'for', got ", describe(current())));
    out->expr = tuple(false, "recursive");
    if (skip_name("if")) out->test = expression();
    if (is_name("recursive")) fail_at(out->line, "recursive loops are not supported", ErrorKind::unsupported);
    ++loops_;
    out->body = body({"else", "endfor"});
    --loops_;
    if (take().text == "else") out->other = last_body("endfor");
    return out;
  }

  StmtPtr set(StmtPtr out) {
    out->target = assign_target(true);
    if (skip_symbol("=")) {
      out->expr = tuple(true);
      return out;
    }
    out->kind = StmtKind::set_block;
    out->filter = filter(nullptr);
    out->body = last_body("endset");
    return out;
  }

  void parameters(MacroDefinition& macro) {
    expect_symbol("(");
    while (!is_symbol(")")) {
      if (!macro.parameters.empty()) expect_symbol(",");
      int line = current().line;
      macro.parameters.push_back(expect_name());
      if (skip_symbol("=")) {
        macro.defaults.push_back(expression());
      } else if (!macro.defaults.empty()) {
        fail_at(line, cat("the parameter '", macro.parameters.back(), "' has no default but follows one that has"));
      }
    }
    expect_symbol(")");
  }

  void macro_body(MacroDefinition& macro, std::string_view until) {
    int loops = std::exchange(loops_, 0);  // 'break' does not reach out of a macro
    auto outer = std::exchange(read_names_, {});
    macro.body = last_body(until);
    auto reads = [&](std::string_view name) {
      bool read = std::find(read_names_.begin(), read_names_.end(), name) != read_names_.end();
      bool declared = std::find(macro.parameters.begin(), macro.parameters.end(), name) != macro.parameters.end();
      return read && !declared;
    };
    macro.takes_caller = reads("caller");
    macro.takes_varargs = reads("varargs");
    macro.takes_kwargs = reads("kwargs");
    outer.insert(outer.end(), read_names_.begin(), read_names_.end());
    read_names_ = std::move(outer);
    loops_ = loops;
  }

  StmtPtr macro(StmtPtr out) {
    out->macro.name = expect_name();
    parameters(out->macro);
    macro_body(out->macro, "endmacro");
    return out;
  }

  StmtPtr call_block(StmtPtr out) {
    out->macro.name = "caller";
    if (is_symbol("(")) parameters(out->macro);
    out->expr = expression();
    if (out->expr->kind != ExprKind::call) fail_at(out->line, "expected a call after 'call'");
    macro_body(out->macro, "endcall");
    return out;
  }

  StmtPtr filter_block(StmtPtr out) {
    out->filter = filter(nullptr, true);
    out->body = last_body("endfilter");
    return out;
  }

  StmtPtr with(StmtPtr out) {
    while (current().kind != TokenKind::block_end) {
      if (!out->assignments.empty()) expect_symbol(",");
      ExprPtr target = assign_target(false);
      expect_symbol("=");
      out->assignments.emplace_back(std::move(target), expression());
    }
    out->body = last_body("endwith");
    return out;
  }

  StmtPtr print(StmtPtr out) {
    out->expr = make(ExprKind::concat, out->line);
    while (current().kind != TokenKind::block_end) {
      if (!out->expr->items.empty()) expect_symbol(",");
      ExprPtr item = expression();
      out->expr = adopt(std::move(out->expr), {&item});
    }
    return out;
  }

  StmtPtr generation(StmtPtr out) {
    int loops = std::exchange(loops_, 0);
    out->body = last_body("endgeneration");
    loops_ = loops;
    return out;
  }

  StmtPtr leave(StmtPtr out) {
    if (loops_ == 0) fail_at(out->line, cat("'", tag_, "' stands outside a loop"));
    return out;
  }

  std::string tag_;
  int depth_ = 0;
  int loops_ = 0;
};

}  // namespace

Block parse_template(std::string_view source) { return Parser(tokenize(source)).run(); }

}  // namespace reveille::text::jinja
