from bench.golden import main

main()
