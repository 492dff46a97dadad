//! Files of other makes, orders of the past, and what happens to an import when its server is killed (R1.1, R1.2, R1.3).

use std::time::{Duration, Instant};

use ordergraph::domain::actor::Role;
use ordergraph::store::verify;
use serde_json::{Value, json};

use crate::support::cli::run;
use crate::support::files::{counts, faults};
use crate::support::node::Site;
use crate::support::process::Process;
use crate::support::{Kind, on_both_databases};

const ORDER: &str = "status submittedAt completedAt ruleSetVersion account note lines { sku category specification unitPrice { amount } quantities { ordered confirmed } } \
    deliveryAddress { regionName city street } total { amount } review { status } allocations { id } settlement { id }";

async fn order(world: &std::sync::Arc<crate::support::World>, channel: &str, reference: &str) -> Value {
    let by = format!("externalReference: {{ channel: {channel}, reference: \"{reference}\" }}");
    let document = format!("{{ order(by: {{ {by} }}) {{ {ORDER} }} }}");
    world.actor(Role::Supervisor).data(&document, json!({})).await["order"].clone()
}

on_both_databases!(an_export_of_a_marketplace_loses_no_order, |world| async move {
    let sales = world.actor(Role::Sales);
    let text = "订单编号,买家会员名,总金额,订单状态,收货人姓名,收货地址 ,联系手机,订单创建时间,宝贝标题 ,宝贝种类,宝贝总数量\r\n\
        \"=\"\"312345678901234567\"\"\",tb1,199.80,\"买家已付款,等待卖家发货\",张三,广东省 深圳市 南山区 科技园1号,'13800000000,2024/1/5 9:03,护眼台灯,1,2\r\n\
        3.12346E+17,tb2,10,等待卖家发货,李四,北京 1号,139,2024/1/5 9:03,灯泡,1,1\r\n\
        312345678901234569\t,tb3,10,交易成功,王五,北京 1号,139,45296.377,灯泡,1,1\r\n";
    let (gb18030, ..) = encoding_rs::GB18030.encode(text);
    let query = "format=csv&account=tmall-flagship&customerNumber=C-1001&region=NORTH";
    for (bytes, duplicates) in [(gb18030.to_vec(), 0), (format!("\u{feff}{text}").into_bytes(), 1)] {
        let import = sales.imported(query, bytes, "REJECT_FAILED_ROWS").await;
        assert_eq!(import["layout"], "TAOBAO", "{import}");
        assert_eq!(counts(&import), [3, 3, 3, 1 - duplicates, duplicates, 2, 2], "{import}");
        let expected = [(3, "订单编号", "DIGITS_LOST"), (4, "订单状态", "NOT_FOR_HANDLING")];
        assert_eq!(faults(&import), expected.map(|(row, column, code)| (row, column.to_owned(), code.to_owned())));
    }
    let unit_price = json!({ "amount": "99.9" });
    let taken = order(&world, "E_COMMERCE", "312345678901234567").await;
    assert_eq!((&taken["status"], &taken["account"]), (&json!("SUBMITTED"), &json!("tmall-flagship")));
    assert_eq!(taken["lines"][0]["category"], "护眼台灯");
    assert_eq!(taken["lines"][0]["unitPrice"], unit_price);
    assert_eq!(
        taken["deliveryAddress"],
        json!({ "regionName": "广东省", "city": "深圳市", "street": "南山区 科技园1号" })
    );
    // A product that the shop has and nobody here knows is for the review to clarify.
    let jd = "订单号,商品ID,商品名称,订购数量,京东价,订单状态,客户姓名,客户地址,联系电话,货号\n\
        7001,100,台灯,1,189,等待出库,赵六,上海 上海市 1号,139,LAMP-1\n\
        7002,200,吊灯,1,88,等待出库,赵六,上海 上海市 1号,139,LAMP-1\n\
        7001,300,灯罩,2,5.5,等待出库,赵六,上海 上海市 1号,139,SHADE-9\n";
    let import = sales.imported(query, jd, "REJECT_FAILED_ROWS").await;
    assert_eq!((import["layout"].as_str(), counts(&import)), (Some("JD"), [3, 2, 2, 2, 0, 0, 0]), "{import}");
    let lines = order(&world, "E_COMMERCE", "7001").await["lines"].clone();
    assert_eq!((&lines[0]["sku"], &lines[1]["sku"]), (&json!("LAMP-1"), &Value::Null));
    assert_eq!(
        (&lines[1]["category"], &lines[1]["specification"]),
        (&json!("灯罩"), &json!("SKU SHADE-9; 商品ID 300"))
    );
    let youzan = "订单号,买家付款时间,全部商品名称,商品种类数,商品件数,商品编码,订单实付金额,订单状态,收货人/提货人,收货人手机号/提货人手机号,详细收货地址/提货地址,买家备注\n\
        E20240105090300000100001,2024-01-05 09:03:00,护眼台灯,1,2,LAMP-1,199.80,待发货,孙七,137,浙江省 杭州市 西湖区 一号,请尽快\n\
        E20240105090300000100002,2024-01-05 09:03:00,护眼台灯,1,1,LAMP-1,99.90,已关闭,孙七,137,浙江省 杭州市 西湖区 一号,\n";
    let import = sales.imported(query, youzan, "REJECT_FAILED_ROWS").await;
    assert_eq!((import["layout"].as_str(), counts(&import)), (Some("YOUZAN"), [2, 2, 2, 1, 0, 1, 1]), "{import}");
    assert_eq!(faults(&import), [(3, "订单状态".to_owned(), "NOT_FOR_HANDLING".to_owned())]);
    let taken = order(&world, "E_COMMERCE", "E20240105090300000100001").await;
    assert_eq!(
        (&taken["note"], &taken["account"]),
        (&json!("买家留言: 请尽快\n金额: 199.8\n订单状态: 待发货"), &json!("tmall-flagship"))
    );
    assert_eq!((&taken["lines"][0]["sku"], &taken["lines"][0]["unitPrice"]), (&json!("LAMP-1"), &unit_price));
    assert_eq!(taken["deliveryAddress"]["city"], "杭州市");
});

on_both_databases!(
    /// Beside a server on the same database, which may be quicker.
    the_command_line_takes_a_file_and_a_second_time_nothing, |world| async move {
    let site = &world.site;
    let folder = tempfile::TempDir::new().expect("a folder");
    let file = folder.path().join("orders.csv");
    let text = "channel,externalReference,customerNumber,currencyCode,requiredWithinDays,street,city,countryCode,sku,quantity\n\
        OFFLINE_SALES,CLI-1,C-2001,CNY,7,1 Road,Wuhan,CN,LAMP-1,2\n\
        OFFLINE_SALES,CLI-1,C-2001,CNY,7,1 Road,Wuhan,CN,LEG-ST,1\n\
        OFFLINE_SALES,CLI-2,C-9999,CNY,7,1 Road,Wuhan,CN,LAMP-1,0\n";
    std::fs::write(&file, text).expect("a file");
    let file = file.to_str().expect("UTF-8");
    let tried = run(site.url(), &["import", file, "--dry-run"]).await;
    assert_eq!((tried.code, site.number("SELECT COUNT(*) FROM orders").await), (Some(1), 0), "{}", tried.stderr);
    for said in ["1 taken, 0 duplicates, 1 refused\n", "0 taken, 1 duplicates, 1 refused\n"] {
        let ended = run(site.url(), &["import", file]).await;
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), said), "{}", ended.stderr);
        let told: Vec<&str> = ended.stderr.lines().filter(|line| line.starts_with("line ")).collect();
        assert_eq!(told.len(), 2, "{}", ended.stderr);
        assert!(told.iter().all(|line| line.starts_with("line 4: ")), "{told:?}");
        assert_eq!(site.number("SELECT COUNT(*) FROM orders").await, 1);
        assert_eq!(site.number("SELECT COUNT(*) FROM order_line").await, 2);
    }
    let tolerant = run(site.url(), &["import", file, "--error-policy", "ignore-failed"]).await;
    assert_eq!(tolerant.code, Some(0), "{}", tolerant.stderr);
    let strict = run(site.url(), &["import", file, "--error-policy", "reject-everything"]).await;
    assert_eq!((strict.code, site.number("SELECT COUNT(*) FROM orders").await), (Some(1), 1), "{}", strict.stderr);
    assert_eq!(run(site.url(), &["verify"]).await.code, Some(0));
});

on_both_databases!(orders_of_the_past_keep_their_dates_and_make_no_work, |world| async move {
    let admin = world.actor(Role::Admin);
    let before = world.rows("SELECT COUNT(*) AS amount FROM stock_movement").await;
    let before: i64 = before[0].try_get("", "amount").expect("an amount");
    let text = "渠道,订单编号,客户编号,币种,详细地址,城市,国家代码,商品编码,数量,单价,订单状态,下单时间,完成时间\r\n\
        线下,OLD-1,C-2001,人民币,一号,杭州,中国,LAMP-1,3,10.5,COMPLETED,2019-05-01 10:00,2019-05-09 18:00\r\n\
        线下,OLD-2,C-2001,CNY,一号,杭州,CN,GONE-7,2,4,已取消,2019/6/1,\r\n\
        线下,OLD-3,C-2001,CNY,一号,杭州,CN,LAMP-1,2,4,交易成功,,\r\n\
        线下,OLD-4,C-2001,CNY,一号,杭州,CN,LAMP-1,2,4,COMPLETED,2999-01-01,2999-02-01\r\n";
    let import = admin.imported("format=csv&historical=true", text, "REJECT_FAILED_ROWS").await;
    assert_eq!(
        (import["status"].as_str(), counts(&import)),
        (Some("COMPLETED_WITH_FAULTS"), [4, 4, 4, 2, 0, 2, 2]),
        "{import}"
    );
    let expected = [(4, "下单时间", "REQUIRED"), (5, "完成时间", "MALFORMED")];
    assert_eq!(faults(&import), expected.map(|(row, column, code)| (row, column.to_owned(), code.to_owned())));
    let old = order(&world, "OFFLINE_SALES", "OLD-1").await;
    assert_eq!(
        (&old["submittedAt"], &old["completedAt"]),
        (&json!("2019-05-01T02:00:00Z"), &json!("2019-05-09T10:00:00Z"))
    );
    assert_eq!((&old["status"], &old["ruleSetVersion"]), (&json!("COMPLETED"), &json!(0)));
    assert_eq!(old["lines"][0]["quantities"], json!({ "ordered": "3", "confirmed": "3" }));
    assert_eq!(old["total"]["amount"], "31.5");
    assert_eq!((&old["review"], &old["allocations"], &old["settlement"]), (&Value::Null, &json!([]), &json!([])));
    let gone = order(&world, "OFFLINE_SALES", "OLD-2").await;
    assert_eq!((&gone["status"], &gone["lines"][0]["sku"]), (&json!("CANCELLED"), &Value::Null));
    assert_eq!(world.number("SELECT COUNT(*) FROM stock_movement").await, before, "no stock is touched");
    // Nobody has anything to do for it: not the reviewer, not the clock.
    let waiting = "{ orders(first: 10, filter: { stages: [INTAKE, REVIEW, ALLOCATION] }) { totalCount } }";
    assert_eq!(world.actor(Role::Reviewer).data(waiting, json!({})).await["orders"]["totalCount"], 0);
    // The same dates in an ordinary import are a mistake.
    let mistaken = admin.imported("format=csv", text, "REJECT_EVERYTHING").await;
    assert_eq!(mistaken["status"], "REJECTED");
});

on_both_databases!(templates_are_taken_as_they_are, |world| async move {
    let (sales, anybody) = (world.actor(Role::Sales), world.anonymous());
    for (taken, (name, lang)) in [("csv", "zh"), ("csv", "en"), ("xlsx", "zh"), ("jsonl", "en")].into_iter().enumerate()
    {
        let template = anybody.fetch(&format!("/imports/template.{name}?lang={lang}")).await;
        assert_eq!(template.status, 200);
        let import = sales.imported(&format!("format={name}"), template.bytes, "REJECT_EVERYTHING").await;
        assert_eq!(import["status"], "COMPLETED", "{name} {lang}: {import}");
        assert_eq!(counts(&import)[1], 1);
        // All four say the same order; that of JSON says its region, too, as text of the file.
        assert_eq!(counts(&import)[3] + counts(&import)[4], 1, "{taken}");
    }
    assert_eq!(anybody.fetch("/imports/template.pdf").await.status, 404);
});

on_both_databases!(a_spreadsheet_is_read_as_it_shows, |world| async move {
    let sales = world.actor(Role::Sales);
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let headers = [
        "channel",
        "externalReference",
        "customerNumber",
        "currencyCode",
        "requiredWithinDays",
        "street",
        "city",
        "countryCode",
        "sku",
        "quantity",
        "unitPrice",
    ];
    for (column, header) in (0..).zip(headers) {
        sheet.write(0, column, header).expect("a cell");
    }
    for (row, reference) in [(1, 1001.0), (3, 123_456_789_012_345_678.0)] {
        sheet.write(row, 1, reference).expect("a cell");
        for (column, text) in
            [(0, "OFFLINE_SALES"), (2, "C-2001"), (3, "CNY"), (5, "1 Road"), (6, "Wuhan"), (7, "CN"), (8, "LAMP-1")]
        {
            sheet.write(row, column, text).expect("a cell");
        }
        sheet.write(row, 4, 7).expect("a cell");
        sheet.write(row, 9, 2.5).expect("a cell");
        sheet.write(row, 10, 2024.994).expect("a cell");
    }
    let import = sales.imported("format=xlsx", book.save_to_buffer().expect("a file"), "REJECT_FAILED_ROWS").await;
    assert_eq!(counts(&import), [2, 2, 2, 1, 0, 1, 1], "{import}");
    assert_eq!(faults(&import), [(4, "externalReference".to_owned(), "DIGITS_LOST".to_owned())]);
    let lines = order(&world, "OFFLINE_SALES", "1001").await["lines"].clone();
    assert_eq!(lines[0]["quantities"]["ordered"], "2.5");
});

/// A file that unpacks to more than it may is refused before it is read.
#[test]
fn a_bomb_does_not_go_off() {
    use ordergraph::app::import::file::{FileLimits, Staged};
    use ordergraph::domain::import::{FileFormat, ImportSettings};
    use std::io::{Seek, Write};

    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for row in 0..2_000 {
        sheet.write(row, 0, "x".repeat(1_000)).expect("a cell");
    }
    let bytes = book.save_to_buffer().expect("a file");
    let read = |limits: FileLimits| {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(&bytes).expect("written");
        file.rewind().expect("rewound");
        Staged::read(file, FileFormat::Xlsx, &ImportSettings::default(), &limits).err().map(|error| error.to_string())
    };
    let told = read(FileLimits { unpacked_bytes: 50_000, ..FileLimits::default() }).expect("refused");
    assert!(told.contains("unpacks to more than 50000 bytes"), "{told}");
    let told = read(FileLimits::default()).expect("no such column");
    assert!(told.contains("No column is called"), "{told}");
}

/// A server is killed in the middle of an import; another carries on, and no order is lost or doubled.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_is_cut_off_is_carried_on() {
    const ORDERS: usize = 6_000;
    let site = Site::new(Kind::Postgres).await;
    let mut node = site.process().await;
    let mut text = "channel,externalReference,customerNumber,currencyCode,requiredWithinDays,street,city,countryCode,sku,quantity\n".to_owned();
    for number in 0..ORDERS {
        text.push_str(&format!("OFFLINE_SALES,K-{number},C-2001,CNY,7,1 Road,Wuhan,CN,LAMP-1,1\n"));
    }
    let sent = reqwest::Client::new()
        .post(format!("http://{}/imports?format=csv&errorPolicy=REJECT_FAILED_ROWS", node.address))
        .bearer_auth(site.token(Role::Sales))
        .body(text)
        .send()
        .await
        .expect("an answer");
    assert_eq!(sent.status(), 201);
    let begun = Instant::now();
    loop {
        let taken = site.number("SELECT COUNT(*) FROM orders").await;
        if taken >= 500 {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(90), "{taken} taken: {}", node.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    node.kill().await;
    let cut = site.number("SELECT COUNT(*) FROM orders").await;
    assert!((500..i64::try_from(ORDERS).expect("fits")).contains(&cut), "{cut} were taken when it was killed");
    // Others wait until the dead worker's time is up; here it is.
    site.run("UPDATE import_batch SET lease_until = '2020-01-01T00:00:00Z'").await;
    let node = Process::start(site.launch()).await;
    let client = site.client(Role::Supervisor);
    let document =
        "{ importBatches(first: 1) { nodes { status counts { orders handled taken duplicates refused } } } }";
    let begun = Instant::now();
    let import = loop {
        let found = client.data(&[node.address], document, json!({})).await["importBatches"]["nodes"][0].clone();
        if found["status"] != "RUNNING" {
            break found;
        }
        assert!(begun.elapsed() < Duration::from_secs(120), "it does not end: {found}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    let all = i64::try_from(ORDERS).expect("fits");
    let expected = json!({ "orders": all, "handled": all, "taken": all, "duplicates": 0, "refused": 0 });
    assert_eq!((&import["status"], &import["counts"]), (&json!("COMPLETED"), &expected));
    assert_eq!(site.number("SELECT COUNT(*) FROM orders").await, all);
    assert_eq!(site.number("SELECT COUNT(*) FROM event WHERE kind = 'IMPORT_RESUMED'").await, 1);
    let options = ordergraph::store::StoreOptions { url: site.url().to_owned(), connections: 2 };
    let store = ordergraph::store::Store::connect(&options).await.expect("a store");
    let report = verify::verify(&store).await.expect("a report");
    assert!(report.violations.is_empty(), "{:?}", report.violations);
    store.close().await.expect("closed");
    drop(node);
    site.end().await;
}
