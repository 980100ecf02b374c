// Checks a decode unit with the vectors of `m2xfp vectors DIR`. For example:
//
//   m2xfp vectors vectors --count 256
//   iverilog -g2012 -o check check_decode.sv
//   vvp check +vectors=vectors +count=256
//
// It runs in Verilator as well (--binary -CFLAGS -std=c++20). A line of a .hex file is one word.
// manifest.json lists its fields from bit 0 up; a packed struct lists them from the top down.

// Stands for the unit under test: replace it by yours.
module decoder (
    input  logic [33:0] encoded,  // element i at 4i+3..4i (sign, E2M1 code), metadata at 33..32
    output logic [ 7:0] top,      // one-hot of the top-1 lane
    output logic [55:0] values    // lane i at 7i+6..7i, signed, in units of 1/8
);
  function automatic logic [2:0] top_lane(input logic [33:0] codes);
    top_lane = 0;
    for (int i = 1; i < 8; i++)
      if (codes[4*i +: 3] > codes[4*top_lane +: 3]) top_lane = 3'(i);
  endfunction

  function automatic logic [6:0] eighths(input logic [4:0] code);  // of an E2M3 magnitude code
    if (code < 16) eighths = 7'(code);
    else if (code < 24) eighths = 7'(code - 5'd8) << 1;
    else eighths = 7'(code - 5'd16) << 2;
  endfunction

  function automatic logic [6:0] value(input logic [33:0] codes, input logic [2:0] lane);
    logic [4:0] code;
    code = {codes[4*lane +: 3], 2'b00};
    if (lane == top_lane(codes) && {code, codes[33:32]} != 0) code = code + 5'(codes[33:32]) - 1;
    value = codes[4*lane + 3] ? -eighths(code) : eighths(code);
  endfunction

  assign top = 8'd1 << top_lane(encoded);
  for (genvar i = 0; i < 8; i++) begin : lane
    assign values[7*i +: 7] = value(encoded, i);
  end
endmodule

module check_decode;
  typedef struct packed {
    logic [55:0] values;
    logic [ 7:0] top;
    logic [33:0] encoded;
  } vector_t;

  localparam int MAXIMUM = 65536;

  logic [97:0] words [0:MAXIMUM-1];
  vector_t     vector;
  logic [ 7:0] top;
  logic [55:0] values;
  string       folder;
  int          count;
  int          checked;
  int          wrong;

  decoder dut (.encoded(vector.encoded), .top(top), .values(values));

  task automatic check(input string name);
    string file;
    file = {folder, "/decode/", name, ".hex"};
    $readmemh(file, words, 0, count - 1);
    for (int i = 0; i < count; i++) begin
      vector = words[i];
      #1;
      checked++;
      if (top !== vector.top || values !== vector.values) begin
        wrong++;
        $display("%s line %0d: got %h %h, want %h %h", file, i + 1, top, values, vector.top,
                 vector.values);
      end
    end
  endtask

  initial begin
    if (!$value$plusargs("vectors=%s", folder)) folder = "vectors";
    if (!$value$plusargs("count=%d", count)) count = 256;
    checked = 0;
    wrong = 0;
    check("random");
    check("heavy_tails");
    check("ties");
    check("binade_edges");
    check("subnormals");
    check("cancellation");
    check("nan");
    $display("%0d vectors, %0d wrong", checked, wrong);
    if (wrong != 0) $fatal(1, "the unit differs from the golden model");
    $finish;
  end
endmodule
